"""Events that no client waits for: of S3, SQS, schedules and CloudFormation.

Enter at ``run.run()``, which does the work with log, metrics and a time limit; ``messages`` reads the events,
``cloudformation`` makes a function a resource of a stack. Only functions import this room.
"""

"""Asynchronous events: from S3, SQS, schedules and CloudFormation.

Entry point: ``run_event.run_event()``, which does the work with log, metrics and a time limit. ``messages``
parses events. ``cloudformation`` runs a function as a custom resource. Only functions import this package.
"""

"""What Gemini sees in an image: caption, tags, text, safety.

Enter at ``analyze.analyze_image()`` (a client waits) and ``analyze.analyze_queued()`` (none does). ``queue``
starts the function through SQS, ``gemini`` asks the model.
"""

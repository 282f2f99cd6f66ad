"""What Gemini sees in an image: caption, tags, text, safety.

Entry points: ``analyze.analyze_image()`` (synchronous), ``analyze.analyze_queued()`` (queued). ``enqueue``
starts the function through SQS, ``gemini`` calls the model.
"""

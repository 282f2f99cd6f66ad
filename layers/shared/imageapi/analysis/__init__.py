"""Describe images with Gemini: caption, tags, text, safety.

Entry points: ``analyze.analyze_image()`` and, for the queue, ``analyze.analyze_queued()``. ``enqueue`` starts
the function through SQS, and ``gemini`` calls the model.
"""

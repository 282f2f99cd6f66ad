"""Identify, inspect and resize images. All code that uses Pillow is here.

Entry points: ``identify.identify()`` (type and size, without decoding), ``inspect.inspect()`` (full decode)
and ``render.render()`` (a variant). ``render`` has these steps, one module each:

``identify`` → ``scale_on_load`` → ``resize`` → ``colour`` → ``orientation`` → ``encode``

``pixel_limits`` and ``decode_limits`` limit decoding. ``diagnosis`` distinguishes broken images from kinds
that Pillow cannot decode. ``pixel_formats`` and ``frames`` (of animations) add functions that Pillow lacks,
and fix its errors. ``exif`` and ``placeholder`` describe an image. ``intermediate`` creates the source of
small variants.
"""

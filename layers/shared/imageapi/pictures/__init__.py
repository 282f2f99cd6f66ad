"""Inspect and resize images. All code that uses Pillow is here.

Entry points: ``inspect.inspect()`` (decode and describe) and ``render.render()`` (a variant). ``render`` has
these steps, one module each:

``open`` → ``scale_on_load`` → ``resize`` → ``colour`` → ``orientation`` → ``encode``

All of it runs in the ``decoder``, which limits time and memory; ``pixel_limits`` limits the size.
``diagnosis`` distinguishes broken images from kinds that Pillow cannot decode, ``out_of_memory`` from those
that need too much memory. ``pixel_formats`` and ``frames`` (of animations) add functions that Pillow lacks,
and fix its errors. ``exif`` and ``placeholder`` describe an image. ``intermediate`` creates the source of
small variants.
"""

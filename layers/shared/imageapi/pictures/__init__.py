"""Identify, inspect and resize pictures. Everything that uses Pillow is here.

Entry points: ``identify.identify()`` (type and size, without decoding), ``inspect.inspect()`` (full decode)
and ``render.render()`` (a variant). The steps of ``render``, one module each:

``identify`` → ``scale_on_load`` → ``resize`` → ``colour`` → ``orientation`` → ``encode``

Supporting modules: ``pixel_limits`` and ``decode_limits`` limit decoding; ``diagnosis`` distinguishes broken
pictures from those that Pillow cannot decode; ``pixel_formats`` and ``frames`` (of animations) do what Pillow
lacks or gets wrong; ``exif`` and ``placeholder`` describe a picture; ``intermediate`` makes the source of
small variants.
"""

"""Pictures: what they are, and smaller ones made from them. Everything that uses Pillow is here.

Enter at ``identify.identify()`` (type and size, nothing is decoded), ``inspect.inspect()`` (decode it all)
and ``render.render()`` (a variant). The steps of ``render``, each in a file of its own:

``identify`` → ``scale_on_load`` → ``resize`` → ``colour`` → ``orientation`` → ``encode``

Around them: ``pixel_limits`` and ``decode_limits`` bound what a decoder may take; ``diagnosis`` tells
pictures that Pillow cannot decode from broken ones; ``pixel_formats`` and ``frames`` (of animations) cover
what Pillow leaves out or gets wrong; ``exif`` and ``placeholder`` describe a picture; ``intermediate`` makes
what small variants are rendered from.
"""

"""Decode strangers' files in a process without rights.

``client`` runs in the function and never loads Pillow. ``forks`` starts ``server``, a process without
environment and credentials, which loads ``imageapi.pictures`` once, and forks. A fork enters ``sandbox``,
decodes one file or a few, and writes the results to a pipe. ``results`` is their format. The function does
not trust it: code that takes over a decoder can write anything.
"""

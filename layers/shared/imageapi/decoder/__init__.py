"""Decode strangers' files in a process of their own, which can harm nothing.

``client`` runs in the function and never loads Pillow. It starts ``server``, a process without environment
and credentials, which loads ``imageapi.pictures`` once and forks for each file. The fork enters ``sandbox``,
decodes one file, writes the result to a pipe, and exits. ``results`` is the format of that pipe. The function
does not trust it: whoever takes over a decoder can write anything.
"""

"""make demo: generated pictures, uploaded to an API on this machine."""

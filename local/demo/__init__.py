"""make demo: generate pictures and upload them to an API."""

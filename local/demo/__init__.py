"""make demo: made pictures, uploaded to an API that runs here."""

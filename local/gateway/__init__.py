"""The API of a local run: SAM CLI's gateway, with worker processes instead of containers."""

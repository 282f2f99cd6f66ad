"""The API of a local run: SAM CLI's gateway, with worker processes where it has containers."""

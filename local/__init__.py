"""The service on one machine: PostgreSQL, S3 and the API as plain processes. It is never deployed."""

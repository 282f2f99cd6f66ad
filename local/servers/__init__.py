"""PostgreSQL and S3 as local processes."""

"""What the Lambda functions share: settings, errors, database, object store, pictures and the use cases."""

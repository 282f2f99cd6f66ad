"""Settings: everything that comes from the environment, Secrets Manager or the function's role.

Entry point: ``settings.get_settings()``, which reads them once. ``secrets`` reads the secret ones through
``secrets_client``. ``aws_access`` finds the credentials for S3 and AWS, ``aws_clients`` creates clients of
other services, and ``environment`` checks values. No other room reads ``os.environ``.
"""

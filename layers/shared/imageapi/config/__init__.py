"""Settings: everything that comes from the environment, Secrets Manager or the function's role.

Entry point: ``settings.get_settings()``, which reads them once. ``secrets`` defines which settings are
secrets and reads them through ``secrets_client``, ``aws_access`` has the credentials for S3 and AWS,
``aws_clients`` the clients of other services; ``environment`` checks values. No other room
reads ``os.environ``.
"""

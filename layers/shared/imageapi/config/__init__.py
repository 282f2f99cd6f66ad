"""Settings: everything that comes from the environment, Secrets Manager or the function's role.

Enter at ``settings.get_settings()``, which reads them once. ``secrets`` says which settings are secrets and
has their values from ``secrets_manager``; ``credentials`` are those for S3 and AWS; ``environment`` checks
values. Nothing else in the package reads ``os.environ``.
"""

"""Settings: everything that comes from the environment, Secrets Manager or the function's role.

Enter at ``settings.get_settings()``, which reads them once. ``credentials`` and ``secrets_manager`` find the
secrets, ``environment`` checks the values. Nothing else in the package reads ``os.environ``.
"""

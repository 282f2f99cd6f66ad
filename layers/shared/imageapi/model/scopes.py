"""Scopes: the permissions of API keys."""

READ, WRITE, DELETE, MANAGE = SCOPES = ("images:read", "images:write", "images:delete", "keys:manage")

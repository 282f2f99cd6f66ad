"""Scopes: what an API key may do."""

READ, WRITE, DELETE, MANAGE = SCOPES = ("images:read", "images:write", "images:delete", "keys:manage")

"""The database backend of PostgreSQL: Django finds its class in `base`."""

"""Fields of models of every app."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class ExactCharField(models.CharField[str, str]):
    """For ids that are compared whole, never by their beginning.

    For a unique or indexed `varchar` Django makes a second index on PostgreSQL, for LIKE. By its other name the same
    type has none.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        if connection.vendor == "postgresql":
            return f"character varying({self.max_length})"
        return super().db_type(connection)

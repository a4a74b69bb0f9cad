"""Fields of models of every app."""

from typing import TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

Set = TypeVar("Set")
Get = TypeVar("Get")


class ExactCharField(models.CharField[Set, Get]):
    """For ids that are compared whole, never by their beginning.

    For a unique or indexed `varchar` Django makes a second index on PostgreSQL, for LIKE. By its other name the same
    type has none.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        if connection.vendor == "postgresql":
            return f"character varying({self.max_length})"
        return super().db_type(connection)

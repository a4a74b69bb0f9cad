"""The signal about changes that staff make by forms of the admin."""

from django.dispatch import Signal

record_changed = Signal()
"""Staff have added, changed or removed a row by a form of the admin.

Arguments: `request`, `row`, `action` ("added", "changed" or "removed") and `fields`, the names of the changed fields.
Not sent for actions of services: those record themselves.
"""

"""The signal about changes that staff make by forms of the admin."""

from django.dispatch import Signal

record_changed = Signal()
"""Arguments: `request`, `row`, `action` ("added", "changed" or "removed") and `fields`, the names of the changed
fields.

Not sent for actions of services: those record themselves.
"""

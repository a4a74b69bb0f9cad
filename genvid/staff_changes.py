"""What staff change in the admin is told to the apps, of which one writes it down."""

from django.dispatch import Signal

record_changed = Signal()
"""Staff have added, changed or removed a row by a form of the admin.

Arguments: `request`, `row`, `action` ("added", "changed" or "removed") and `fields`, the names of what was changed.
Not sent for what a service does at staff's order: the service itself writes that down.
"""

"""News from this room to the rooms above. Sent inside the transaction of the change."""

from django.dispatch import Signal

account_registered = Signal()
"""A new account exists. Arguments: `account`."""

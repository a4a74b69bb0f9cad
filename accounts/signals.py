"""Signals of accounts for the apps above it. Sent inside the transaction of the change unless stated otherwise."""

from django.dispatch import Signal

account_registered = Signal()
"""Arguments: `account`, its owner `user`, `is_first` (the user never owned an account before)."""

mailbox_verified = Signal()
"""An e-mail address was verified. Arguments: `email`, `account_id` (oldest account that the person owns, or None)."""

export_requested = Signal()
"""Sent outside any transaction. Arguments: `account_ids` that the person owns. Returns lazy rows by file name."""

account_erasing = Signal()
"""Sent outside any transaction, until all receivers return "". Arguments: `account_id`. Each receiver erases what it
can, except the ledger, and returns what remains, in words for staff; it must be safe to repeat and to interrupt.
"""

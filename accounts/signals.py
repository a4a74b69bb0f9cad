"""News from this room to the rooms above. Sent inside the transaction of the change."""

from django.dispatch import Signal

account_registered = Signal()
"""A new account exists. Arguments: `account`, its owner `user`, and `is_first`: whether they never had one before."""

mailbox_verified = Signal()
"""Somebody has proved that an e-mail address is theirs. Arguments: `email`, and `account_id`: of their oldest account.

Only accounts that they own count; `account_id` is None for somebody who has only joined others'.
"""

export_requested = Signal()
"""Somebody gets a copy of their data. Arguments: `account_ids`, those that they own.

Each receiver returns a mapping from the name of a file to its rows: an iterable of dictionaries that reads the
database only while it is read itself. Sent outside any transaction.
"""

account_erasing = Signal()
"""Everything of an account is to go, but its ledger. Arguments: `account_id`.

Each receiver does what can be done now, and returns in words what is still left: "" once nothing is. It is sent again,
outside any transaction, until every receiver says so; so each must be safe to repeat, and to die at any line.
"""

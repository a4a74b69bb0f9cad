"""Signals of avatars for the apps above."""

from django.dispatch import Signal

staff_needed = Signal()
"""Something waits for staff. Arguments: `code`, `about` (tells apart incidents of one code), `text`."""

entry_withdrawn = Signal()
"""An own avatar or voice was deleted. Sent outside any transaction, until all receivers return 0 and once after that.

Arguments: `entry`. Each receiver ends what was ordered with it, and returns how many of its rows still need the copy at
HeyGen; it must be safe to repeat and to interrupt.
"""

"""Tells staff, through the app above, what waits for them."""

from avatars.signals import staff_needed

SLOTS_FULL = "avatar_slots_full"
PROVIDER = "avatar_provider_problem"
GIVEN_UP = "avatar_given_up"
REVIEW_LATE = "avatar_review_late"
UNKNOWN_COPIES = "avatar_unknown_copies"
REMOVAL_FAILS = "avatar_removal_fails"


def alarm(code: str, about: str, text: str) -> None:
    staff_needed.send_robust(None, code=code, about=about, text=text)

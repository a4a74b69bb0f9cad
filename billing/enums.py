"""Words of this room."""

from django.db.models import TextChoices


class EntryKind(TextChoices):
    """Why a balance moved."""

    GRANT = "grant"
    CHARGE = "charge"
    REFUND = "refund"
    EXPIRY = "expiry"
    CLAWBACK = "clawback"
    ADJUSTMENT = "adjustment"


class HoldStatus(TextChoices):
    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"


class LotSource(TextChoices):
    """Where credits came from."""

    SIGNUP = "signup", "sign-up"
    PACK = "pack"
    SUBSCRIPTION = "subscription"
    STAFF = "staff"
    REFUND = "refund"

"""Gives unknown addresses the time of known ones whose password was hashed with the former, slower parameters.

Otherwise a slow refusal would tell that an address is registered. A share of the unknown addresses, as large as that
of the known ones, is refused slowly; it falls as people sign in and their hashes are renewed.
"""

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Count, Q
from django.utils.crypto import salted_hmac

from accounts.models import User
from genvid import cache

FORMER = "argon2$argon2id$v=19$m=102400,t=2,p=8$"
"""What hashes of Django's default parameters begin with."""
DECOY = f"{FORMER}cm5YSXFMZ0k0bHhCS0pUVQ$Q8mY7kqS0lT1o5l2v1n3vJ4Wc8o0H2s5r7u9x1z3B5A"
SHARE_SECONDS = 3600


def share_of_former_hashes() -> float:
    return cache.remembered("accounts.former-hashes", _counted_share, SHARE_SECONDS)


def hash_for_unknown(email: str, password: str, share: float) -> None:
    """Takes the time of a wrong password. One address is always slow or always fast, until its turn is over."""
    if _rank(email) < share:
        check_password(password, DECOY)
    else:
        make_password(password)


def _counted_share() -> float:
    counted = User.objects.aggregate(known=Count("pk"), former=Count("pk", filter=Q(password__startswith=FORMER)))
    return float(counted["former"] / (counted["known"] or 1))


def _rank(email: str) -> float:
    """From 0 to 1, and nobody else can compute it."""
    return int.from_bytes(salted_hmac(__name__, email, algorithm="sha256").digest()[:8]) / 2**64

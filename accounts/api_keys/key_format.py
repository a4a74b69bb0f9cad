"""What an API key looks like: `gv_<mode>_<prefix>_<secret>`. Of the secret only a hash is ever stored."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from accounts.enums import KeyMode

PREFIX_BYTES = 6
SECRET_BYTES = 32
KEY_PREFIX = "gv_"
"""How every key begins; an access token begins otherwise."""
KEY_PATTERN = re.compile(r"gv_(?:live|test)_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class NewKey:
    """`text` is shown to its owner once; `prefix` finds the row, `digest` proves the secret."""

    text: str
    prefix: str
    digest: str


def new_key(mode: KeyMode) -> NewKey:
    """A key with a secret of 256 random bits. A plain hash is enough for those: there is nothing to guess."""
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    return NewKey(f"{masked_key(mode, prefix)}_{secret}", prefix, digest_of(secret))


def masked_key(mode: str, prefix: str) -> str:
    """The part of a key that is no secret."""
    return f"gv_{mode}_{prefix}"


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_key(text: str) -> tuple[str, str] | None:
    """Prefix and secret of a well-formed key; None for anything else."""
    match = KEY_PATTERN.fullmatch(text)
    return (match[1], match[2]) if match else None


def matches_digest(secret: str, digest: str) -> bool:
    return hmac.compare_digest(digest_of(secret), digest)

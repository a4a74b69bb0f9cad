"""Format of API keys: `gv_<mode>_<prefix>_<secret>`. Only a hash of the secret is stored."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from accounts.enums import KeyMode

PREFIX_BYTES = 6
SECRET_BYTES = 32
KEY_PREFIX = "gv_"
KEY_PATTERN = re.compile(r"gv_(?:live|test)_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class NewKey:
    text: str
    prefix: str
    digest: str


def new_key(mode: KeyMode) -> NewKey:
    """The secret has 256 random bits, which cannot be guessed, so a plain hash is stored."""
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    return NewKey(f"{masked_key(mode, prefix)}_{secret}", prefix, digest_of(secret))


def masked_key(mode: str, prefix: str) -> str:
    return f"gv_{mode}_{prefix}"


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_key(text: str) -> tuple[str, str] | None:
    match = KEY_PATTERN.fullmatch(text)
    return (match[1], match[2]) if match else None


def matches_digest(secret: str, digest: str) -> bool:
    return hmac.compare_digest(digest_of(secret), digest)

"""Normalises addresses to mailboxes, for sign-up credits only: accounts are identified by the whole address."""

from django.conf import settings
from django.utils.crypto import salted_hmac

SALT = "billing.signup-grants"
CANONICAL_DOMAINS = {
    "googlemail.com": "gmail.com",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "pm.me": "proton.me",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
    "yandex.by": "yandex.ru",
    "yandex.kz": "yandex.ru",
}
IGNORED_CHARACTERS = {"gmail.com": ".", "proton.me": ".-_"}


def normalise(email: str) -> str:
    local, _, domain = email.strip().lower().rpartition("@")
    domain = CANONICAL_DOMAINS.get(domain, domain)
    # An address may begin with +.
    local = local.partition("+")[0] or local
    plain = "".join(char for char in local if char not in IGNORED_CHARACTERS.get(domain, ""))
    return f"{plain or local}@{domain}"


def mailbox_digests(email: str) -> list[str]:
    """Keyed hashes of the mailbox: with the current SALT_KEY first, then with its predecessors."""
    mailbox = normalise(email)
    return [salted_hmac(SALT, mailbox, secret=key, algorithm="sha256").hexdigest() for key in settings.SALT_KEY]

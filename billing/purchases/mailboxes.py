"""Which addresses lead to one mailbox. For sign-up credits only: accounts are identified by the whole address."""

from django.conf import settings
from django.utils.crypto import salted_hmac

SALT = "billing.signup-grants"
SAME_DOMAIN = {
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
"""Domains under which a provider serves one mailbox, by their canonical domain."""
IGNORED = {"gmail.com": ".", "proton.me": ".-_"}
"""Characters that a provider ignores before the @."""


def normalised(email: str) -> str:
    """One text for all addresses of a mailbox: without plus-part and ignored characters."""
    local, _, domain = email.strip().lower().rpartition("@")
    domain = SAME_DOMAIN.get(domain, domain)
    # An address that begins with + has nothing else to its name.
    local = local.partition("+")[0] or local
    plain = "".join(letter for letter in local if letter not in IGNORED.get(domain, ""))
    return f"{plain or local}@{domain}"


def digests(email: str) -> list[str]:
    """Keyed hashes of the mailbox: with the present SALT_KEY first, then with its predecessors."""
    mailbox = normalised(email)
    return [salted_hmac(SALT, mailbox, secret=key, algorithm="sha256").hexdigest() for key in settings.SALT_KEY]

"""Which addresses lead to one mailbox. For the sign-up credits alone: who somebody is, the whole address says."""

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
"""Domains under which a provider gives one mailbox several addresses, by the one that stands for it."""
IGNORED = {"gmail.com": ".", "proton.me": ".-_"}
"""The characters that a provider ignores before the @."""


def normalised(email: str) -> str:
    """One text for all addresses of a mailbox, as far as their form tells: without plus-part and ignored characters."""
    local, _, domain = email.strip().lower().rpartition("@")
    domain = SAME_DOMAIN.get(domain, domain)
    # An address that begins with + has nothing else to its name.
    local = local.partition("+")[0] or local
    plain = "".join(letter for letter in local if letter not in IGNORED.get(domain, ""))
    return f"{plain or local}@{domain}"


def digests(email: str) -> list[str]:
    """Keyed hashes of the mailbox: by the present SALT_KEY, then by the former ones that stand behind it."""
    mailbox = normalised(email)
    return [salted_hmac(SALT, mailbox, secret=key, algorithm="sha256").hexdigest() for key in settings.SALT_KEY]

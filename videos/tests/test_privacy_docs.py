"""docs/privacy.md tells the truth about how long things are kept."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
KEPT = {
    "exporting.LIVES": ("accounts.privacy.exports", "7 days"),
    "media.LASTING_SECONDS": ("videos.media.signed_links", "7 days"),
    "purging.KEEP_ANSWERS": ("accounts.privacy.retention", "24 hours"),
    "purging.KEEP_ENDED_SESSIONS": ("accounts.privacy.retention", "30 days"),
    "throttling.KNOWN": ("accounts.auth.throttling", "90 days"),
    "inviting.LIFETIME": ("accounts.teams.invitations", "7 days"),
    "purging.KEEP_EVENTS": ("accounts.privacy.retention", "30 days"),
    "retention.KEEP_DELIVERIES": ("videos.lifecycle.retention", "30 days"),
    "retention.KEEP_PROVIDER_WORDS": ("videos.lifecycle.retention", "90 days"),
    "operator_alarms.RETENTION": ("videos.operator_alarms", "90 days"),
    "inbox.FORGERIES": ("billing.stripe.webhook_endpoint", "3 days"),
    "inbox.DELIVERIES": ("billing.stripe.webhook_endpoint", "30 days"),
    "inbox.EVENTS": ("billing.stripe.webhook_endpoint", "90 days"),
    "outbox.KEPT": ("genvid.mail.outbox", "30 days"),
    "outbox.KEYS_KEPT": ("genvid.mail.outbox", "90 days"),
    "letters.KEPT": ("billing.mails", "90 days"),
    "audit.KEPT": ("accounts.audit_log", "400 days"),
}
ROW = re.compile(r"^\|[^|]+\| ([^|]+) \| `(\w+\.[A-Z_]+)` \|$", re.MULTILINE)
SECONDS = {"hours": 3600, "days": 24 * 3600}


def rows() -> dict[str, str]:
    """The table's lines that name a constant, by that name."""
    return {name: words for words, name in ROW.findall(PAGE.read_text())}


def test_every_constant_of_the_table_is_known_here():
    assert set(rows()) == set(KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_a_row_says_what_the_code_does(name):
    module, words = KEPT[name]
    value = getattr(import_module(module), name.partition(".")[2])
    number, unit = words.split()
    assert getattr(value, "total_seconds", lambda: value)() == int(number) * SECONDS[unit]
    assert words in rows()[name]

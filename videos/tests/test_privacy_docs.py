"""docs/privacy.md tells the truth about how long things are kept."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
KEPT = {
    "exporting.LIVES": ("accounts.services.exporting", "7 days"),
    "media.LASTING_SECONDS": ("videos.media", "7 days"),
    "purging.KEEP_ANSWERS": ("accounts.services.purging", "24 hours"),
    "purging.KEEP_ENDED_SESSIONS": ("accounts.services.purging", "30 days"),
    "throttling.KNOWN": ("accounts.throttling", "90 days"),
    "inviting.LIFETIME": ("accounts.services.teams.inviting", "7 days"),
    "purging.KEEP_EVENTS": ("accounts.services.purging", "30 days"),
    "retention.KEEP_DELIVERIES": ("videos.services.retention", "30 days"),
    "retention.KEEP_PROVIDER_WORDS": ("videos.services.retention", "90 days"),
    "operator_alarms.RETENTION": ("videos.operator_alarms", "90 days"),
    "inbox.FORGERIES": ("billing.gateway.inbox", "3 days"),
    "inbox.DELIVERIES": ("billing.gateway.inbox", "30 days"),
    "inbox.EVENTS": ("billing.gateway.inbox", "90 days"),
    "outbox.KEPT": ("genvid.mail.outbox", "30 days"),
    "outbox.KEYS_KEPT": ("genvid.mail.outbox", "90 days"),
    "letters.KEPT": ("billing.services.letters", "90 days"),
    "audit.KEPT": ("accounts.audit", "400 days"),
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

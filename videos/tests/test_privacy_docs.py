"""docs/privacy.md names the retention periods of the code."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
KEPT = {
    "accounts.privacy.exports.LIFETIME": "7 days",
    "genvid.media_links.LASTING_SECONDS": "7 days",
    "accounts.privacy.retention.IDEMPOTENCY_RETENTION": "24 hours",
    "accounts.privacy.retention.SESSION_RETENTION": "30 days",
    "accounts.auth.throttling.KNOWN_NETWORK_RETENTION": "90 days",
    "accounts.teams.invitations.INVITATION_LIFETIME": "7 days",
    "accounts.privacy.retention.EVENT_RETENTION": "30 days",
    "videos.lifecycle.retention.DELIVERY_RETENTION": "30 days",
    "videos.lifecycle.retention.PROVIDER_TEXT_RETENTION": "90 days",
    "videos.models.speech.KEPT": "24 hours",
    "videos.models.speech.REFUSED_KEPT": "90 days",
    "avatars.uploads.intake.UNUSED_LIFETIME": "7 days",
    "avatars.uploads.removal.TRACE_LIFETIME": "2 days",
    "videos.operator_alarms.RETENTION": "90 days",
    "billing.stripe.webhook_endpoint.FORGERY_RETENTION": "3 days",
    "billing.stripe.webhook_endpoint.DELIVERY_RETENTION": "30 days",
    "billing.stripe.webhook_endpoint.EVENT_RETENTION": "90 days",
    "genvid.mail.outbox.RETENTION": "30 days",
    "genvid.mail.outbox.KEY_RETENTION": "90 days",
    "billing.mails.FORMER_MAIL_RETENTION": "90 days",
    "billing.ledger.ledger_proofs.RETENTION": "90 days",
    "billing.stripe.webhook_endpoint.MIRROR_RETENTION": "400 days",
    "billing.stripe_sync.sync_queue.RETENTION": "60 days",
    "billing.stripe_sync.sync_queue.STUCK_RETENTION": "400 days",
    "accounts.audit_log.RETENTION": "400 days",
    "avatars.own.removal.SETTLE_TIME": "10 minutes",
    "accounts.moderation.reviews.RETENTION": "90 days",
}
ROW = re.compile(r"^\|[^|]+\| ([^|]+) \| `([\w.]+\.[A-Z_]+)` \|$", re.MULTILINE)
SECONDS = {"minutes": 60, "hours": 3600, "days": 24 * 3600}


def rows() -> dict[str, str]:
    """The rows of the table that name a constant, by that name."""
    return {name: words for words, name in ROW.findall(PAGE.read_text())}


def test_every_constant_of_the_privacy_table_is_tested():
    assert set(rows()) == set(KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_a_row_of_the_privacy_table_has_the_value_of_the_code(name):
    module, _, constant = name.rpartition(".")
    value, words = getattr(import_module(module), constant), KEPT[name]
    number, unit = words.split()
    assert getattr(value, "total_seconds", lambda: value)() == int(number) * SECONDS[unit]
    assert words in rows()[name]

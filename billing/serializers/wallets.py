"""Serializers of the wallet and its ledger."""

from billing.enums import EntryKind
from genvid.api import serializers as api


class ExpiringOutput(api.OutputSerializer):
    credits = api.CreditsField(example=30)
    expires_at = api.TimestampField()


class WalletOutput(api.OutputSerializer):
    balance = api.CreditsField(help_text="Credits owned, those held included.", example=30)
    held = api.CreditsField(help_text="Credits set aside for what is being made.")
    available = api.CreditsField(help_text="What a new video may take.", example=25)
    expiring = ExpiringOutput(many=True)


class LedgerEntryOutput(api.OutputSerializer):
    id = api.IdField()
    kind = api.EnumField(EntryKind.choices, example="charge")
    credits = api.CreditsField(help_text="Signed: charges are negative.", example=-4)
    balance_after = api.CreditsField(example=26)
    reference = api.TextField(example=f"video:{api.example_id('video')}")
    description = api.TextField(example="A video of 3.4 seconds")
    created_at = api.TimestampField()

"""Shapes of the wallet and its ledger."""

from typing import Any

from rest_framework import serializers

from billing.enums import EntryKind


class ExpiringOutput(serializers.Serializer[Any]):
    credits = serializers.IntegerField()
    expires_at = serializers.DateTimeField()


class WalletOutput(serializers.Serializer[Any]):
    balance = serializers.IntegerField(help_text="Credits owned, those held included.")
    held = serializers.IntegerField(help_text="Credits set aside for videos that are being made.")
    available = serializers.IntegerField(help_text="What a new video may take.")
    expiring = ExpiringOutput(many=True)


class LedgerEntryOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    credits = serializers.IntegerField(help_text="Signed: charges are negative.")
    balance_after = serializers.IntegerField()
    reference = serializers.CharField()
    description = serializers.CharField()
    created_at = serializers.DateTimeField()

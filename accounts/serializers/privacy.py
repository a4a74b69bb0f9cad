"""Shapes of exports and erasures."""

from typing import Any

from rest_framework import serializers

from accounts.enums import ExportStatus
from accounts.models import Erasure, Export
from accounts.services.exporting import link_to
from genvid.api.serializers import StrictCharField, StrictSerializer


class EraseInput(StrictSerializer):
    password = StrictCharField(max_length=256, trim_whitespace=False, write_only=True)


class EraseOutput(serializers.Serializer[Any]):
    erase_after = serializers.DateTimeField(help_text="Until then, signing in withdraws it.")


class ExportOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ExportStatus.choices)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="The file is removed then.")
    download_url = serializers.CharField(allow_null=True, help_text="The link that was mailed too; needs no token.")


def export_data(export: Export) -> dict[str, Any]:
    names = ("id", "status", "created_at", "expires_at")
    return {**{name: getattr(export, name) for name in names}, "download_url": link_to(export)}


def erase_data(erasure: Erasure) -> dict[str, Any]:
    return {"erase_after": erasure.erase_after}

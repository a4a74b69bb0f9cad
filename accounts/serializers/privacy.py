"""Serializers of exports and erasures."""

from typing import Any

from accounts.enums import ExportStatus
from accounts.models import Export
from accounts.privacy.exports import download_link
from genvid.api import serializers as api

EXPORT_TOKEN = "eyJleHBvcnQiOiI3ZDRmIn0"  # noqa: S105 - made up


class EraseInput(api.StrictSerializer):
    password = api.PasswordField()


class EraseOutput(api.OutputSerializer):
    erase_after = api.TimestampField(help_text="Until then, signing in withdraws it.")


class ExportOutput(api.OutputSerializer):
    id = api.IdField()
    status = api.EnumField(ExportStatus.choices)
    created_at = api.TimestampField()
    expires_at = api.TimestampField(allow_null=True, example=api.EXAMPLE_TIME, help_text="The file is removed then.")
    download_url = api.TextField(
        allow_null=True,
        help_text="The link that was mailed too; needs no token.",
        example=f"{api.EXAMPLE_SITE}/api/v1/exports/{EXPORT_TOKEN}",
    )


def export_data(export: Export) -> dict[str, Any]:
    return ExportOutput.of(export, download_url=download_link(export))

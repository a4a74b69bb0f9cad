"""Shapes of the second factor."""

from typing import Any

from rest_framework import serializers

from genvid.api.serializers import StrictCharField, StrictSerializer


class TotpStartInput(StrictSerializer):
    password = StrictCharField(max_length=256, trim_whitespace=False, write_only=True)


class TotpConfirmInput(StrictSerializer):
    code = StrictCharField(max_length=64)


class TotpDisableInput(TotpStartInput):
    code = StrictCharField(max_length=64, help_text="Of the authenticator app, or a recovery code.")


class TotpSecretOutput(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Base32; to be typed where no QR code can be read.")
    otpauth_url = serializers.CharField(help_text="What to show as a QR code.")


class TotpCodesOutput(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField(), help_text="Shown this once.")


class TotpOutput(serializers.Serializer[Any]):
    enabled = serializers.BooleanField()
    recovery_codes_left = serializers.IntegerField()

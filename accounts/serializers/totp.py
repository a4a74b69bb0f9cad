"""Serializers of the second factor."""

from accounts.serializers.fields import TotpCodeField
from genvid.api import serializers as api

SECRET = "JBSWY3DPEHPK3PXP"  # noqa: S105 - made up


class TotpStartInput(api.StrictSerializer):
    password = api.PasswordField()


class TotpConfirmInput(api.StrictSerializer):
    code = TotpCodeField()


class TotpDisableInput(TotpStartInput):
    code = TotpCodeField(help_text="Of the authenticator app, or a recovery code.")


class TotpSecretOutput(api.OutputSerializer):
    secret = api.TextField(help_text="Base32; to be typed where no QR code can be read.", example=SECRET)
    otpauth_url = api.TextField(
        help_text="What to show as a QR code.",
        example=f"otpauth://totp/genvid:ada%40example.com?secret={SECRET}&issuer=genvid",
    )


class TotpCodesOutput(api.OutputSerializer):
    recovery_codes = api.TextListField(help_text="Shown this once.", example=["7f3k-92mx", "q8d4-1vzn"])


class TotpOutput(api.OutputSerializer):
    enabled = api.FlagField()
    recovery_codes_left = api.NumberField(example=8)

"""Serializers of sign-in and profile."""

from typing import Any

from accounts.auth.sign_in import SignedIn
from accounts.enums import Role
from accounts.models import Membership
from accounts.serializers.fields import JwtField, MailedTokenField, NameField, TotpCodeField
from genvid.api import serializers as api

FULL_NAME, COMPANY_NAME = "Ada Lovelace", "Analytical Films"


class RegisterInput(api.StrictSerializer):
    email = api.StrictEmailField(max_length=254)
    password = api.NewPasswordField()
    full_name = NameField(required=False, allow_blank=True, example=FULL_NAME)
    company_name = NameField(required=False, allow_blank=True)


class LoginInput(api.StrictSerializer):
    email = api.StrictCharField(max_length=254, example=api.EmailField.example)
    password = api.PasswordField()
    totp_code = TotpCodeField(
        required=False, help_text="Of the authenticator app, or a recovery code; for who has one."
    )


class RefreshInput(api.StrictSerializer):
    refresh_token = api.StrictCharField(max_length=4096, example=JwtField.example)


class SentOutput(api.OutputSerializer):
    sent = api.FlagField(help_text="Always true, whether or not there was anybody to send it to.")


class VerifyInput(api.StrictSerializer):
    token = MailedTokenField()


class VerifiedOutput(api.OutputSerializer):
    email = api.EmailField()
    email_verified = api.FlagField()


class ProfileInput(api.StrictSerializer):
    full_name = NameField(required=False, allow_blank=True, example=FULL_NAME)
    company_name = NameField(required=False, allow_blank=True, example=COMPANY_NAME)
    preferred_language = api.PatternField(
        r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, required=False, example="en"
    )
    email_notifications = api.StrictBooleanField(required=False, example=True)


class ProfileAccountOutput(api.OutputSerializer):
    id = api.IdField("account")
    name = api.TextField(example=COMPANY_NAME)
    role = api.EnumField(Role.choices)


class UserOutput(api.OutputSerializer):
    id = api.IdField("person")
    email = api.EmailField()
    email_verified = api.FlagField()
    full_name = api.TextField(example=FULL_NAME)
    company_name = api.TextField(example=COMPANY_NAME)


class ProfileOutput(UserOutput):
    preferred_language = api.TextField(help_text="Of mails: English or German; others get English.", example="en")
    email_notifications = api.FlagField(
        help_text="Whether to mail of videos that are ready or have failed, and of credits that run low."
    )
    account = ProfileAccountOutput()
    created_at = api.TimestampField()
    last_login_at = api.TimestampField(allow_null=True, example=api.EXAMPLE_TIME)


class TokenOutput(api.OutputSerializer):
    access_token = JwtField()
    refresh_token = JwtField()
    token_type = api.TextField(example="Bearer")
    expires_in = api.NumberField(help_text="Seconds that the access token lives.", example=900)


class SignedInOutput(TokenOutput):
    user = UserOutput()
    account = ProfileAccountOutput()


def signed_in_data(signed_in: SignedIn) -> dict[str, Any]:
    return SignedInOutput.of(
        signed_in.tokens, user=UserOutput(signed_in.user).data, account=membership_data(signed_in.membership)
    )


def membership_data(membership: Membership) -> dict[str, Any]:
    return ProfileAccountOutput.of(membership.account, role=membership.role)

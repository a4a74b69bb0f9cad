"""Shapes of sign-in and profile."""

from typing import Any

from rest_framework import serializers

from accounts.enums import Role
from accounts.models import User
from accounts.services import SignedIn
from accounts.tokens import TokenPair
from genvid.api.serializers import (
    NewPasswordField,
    StrictBooleanField,
    StrictCharField,
    StrictEmailField,
    StrictSerializer,
)


class RegisterInput(StrictSerializer):
    email = StrictEmailField(max_length=254)
    password = NewPasswordField()
    full_name = StrictCharField(max_length=150, required=False, allow_blank=True)
    company_name = StrictCharField(max_length=150, required=False, allow_blank=True)


class LoginInput(StrictSerializer):
    email = StrictCharField(max_length=254)
    password = StrictCharField(max_length=256, trim_whitespace=False, write_only=True)
    totp_code = StrictCharField(
        max_length=64, required=False, help_text="Of the authenticator app, or a recovery code; for who has one."
    )


class RefreshInput(StrictSerializer):
    refresh_token = StrictCharField(max_length=4096)


class SentOutput(serializers.Serializer[Any]):
    sent = serializers.BooleanField(help_text="Always true, whether or not there was anybody to send it to.")


class VerifyInput(StrictSerializer):
    token = StrictCharField(max_length=1024)


class VerifiedOutput(serializers.Serializer[Any]):
    email = serializers.EmailField()
    email_verified = serializers.BooleanField()


class ProfileInput(StrictSerializer):
    full_name = StrictCharField(max_length=150, required=False, allow_blank=True)
    company_name = StrictCharField(max_length=150, required=False, allow_blank=True)
    preferred_language = serializers.RegexField(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, required=False)
    email_notifications = StrictBooleanField(required=False)


class ProfileAccountOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)


class ProfileOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    email_verified = serializers.BooleanField()
    full_name = serializers.CharField()
    company_name = serializers.CharField()
    preferred_language = serializers.CharField()
    email_notifications = serializers.BooleanField()
    account = ProfileAccountOutput()
    created_at = serializers.DateTimeField()
    last_login_at = serializers.DateTimeField(allow_null=True)


class UserOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    email_verified = serializers.BooleanField()
    full_name = serializers.CharField()
    company_name = serializers.CharField()


class TokenOutput(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds that the access token lives.")


class SignedInOutput(TokenOutput):
    user = UserOutput()
    account = ProfileAccountOutput()


def tokens_data(tokens: TokenPair) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_type": tokens.token_type,
        "expires_in": tokens.expires_in,
    }


def signed_in_data(signed_in: SignedIn) -> dict[str, Any]:
    account = {"id": signed_in.membership.account_id, "name": signed_in.membership.account.name}
    return {
        "user": UserOutput(signed_in.user).data,
        "account": account | {"role": signed_in.membership.role},
        **tokens_data(signed_in.tokens),
    }


def profile_data(user: User, account: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "email", "email_verified", "full_name", "company_name", "preferred_language")
    return {
        **{name: getattr(user, name) for name in names},
        "email_notifications": user.email_notifications,
        "account": account,
        "created_at": user.created_at,
        "last_login_at": user.last_login,
    }

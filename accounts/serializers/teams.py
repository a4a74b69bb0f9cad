"""Shapes of accounts, members and invitations."""

from typing import Any

from rest_framework import serializers

from accounts.caller import Caller
from accounts.enums import Invitable, Role
from accounts.models import Account, Invitation, Membership
from genvid.api.serializers import (
    StrictCharField,
    StrictChoiceField,
    StrictEmailField,
    StrictSerializer,
    StrictUUIDField,
)


class AccountInput(StrictSerializer):
    name = StrictCharField(max_length=150)


class SwitchInput(StrictSerializer):
    account_id = StrictUUIDField(help_text="One of `GET accounts`.")


class MemberInput(StrictSerializer):
    role = StrictChoiceField(choices=Role.choices)


class TransferInput(StrictSerializer):
    user_id = StrictUUIDField(help_text="A member of the account, who becomes its owner.")
    password = StrictCharField(max_length=256, trim_whitespace=False, write_only=True, help_text="The caller's own.")


class InvitationInput(StrictSerializer):
    email = StrictEmailField(max_length=254)
    role = StrictChoiceField(choices=Invitable.choices)


class AcceptInput(StrictSerializer):
    token = StrictCharField(max_length=1024, help_text="From the link of the mail.")
    password = StrictCharField(
        max_length=256,
        trim_whitespace=False,
        write_only=True,
        required=False,
        help_text="For an address that is not registered, the new password; for one that is, its password.",
    )
    totp_code = StrictCharField(
        max_length=64, required=False, help_text="Beside the password of somebody who has a second factor."
    )
    full_name = StrictCharField(
        max_length=150, required=False, allow_blank=True, help_text="Of somebody new; otherwise nothing changes."
    )


class AccountOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices, help_text="The caller's.")
    created_at = serializers.DateTimeField()
    current = serializers.BooleanField(help_text="Whether it is the account that this session acts for.")


class MemberOutput(serializers.Serializer[Any]):
    user_id = serializers.UUIDField()
    email = serializers.EmailField()
    full_name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    joined_at = serializers.DateTimeField()


class InvitationOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Invitable.choices)
    invited_by = serializers.UUIDField(allow_null=True, help_text="Null once that person is gone.")
    sent_at = serializers.DateTimeField(help_text="When it was mailed last.")
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


def account_data(account: Account, role: str, caller: Caller) -> dict[str, Any]:
    return {
        "id": account.pk,
        "name": account.name,
        "role": role,
        "created_at": account.created_at,
        "current": account.pk == caller.account_id,
    }


def member_data(member: Membership) -> dict[str, Any]:
    """Of a member whose person was fetched with it."""
    person = {"user_id": member.user_id, "email": member.user.email, "full_name": member.user.full_name}
    return {**person, "role": member.role, "joined_at": member.created_at}


def invitation_data(invitation: Invitation) -> dict[str, Any]:
    names = ("id", "email", "role", "sent_at", "expires_at", "created_at")
    return {name: getattr(invitation, name) for name in names} | {"invited_by": invitation.invited_by_id}

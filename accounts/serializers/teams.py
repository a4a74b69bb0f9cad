"""Serializers of accounts, members and invitations."""

from typing import Any

from accounts.caller import Caller
from accounts.enums import Invitable, Role
from accounts.models import Account, Invitation, Membership
from accounts.serializers.fields import MailedTokenField, NameField, TotpCodeField
from accounts.serializers.people import COMPANY_NAME, FULL_NAME
from genvid.api import serializers as api


class AccountInput(api.StrictSerializer):
    name = NameField(example=COMPANY_NAME)


class SwitchInput(api.StrictSerializer):
    account_id = api.StrictUUIDField("account", help_text="One of `GET accounts`.")


class MemberInput(api.StrictSerializer):
    role = api.StrictChoiceField(choices=Role.choices)


class TransferInput(api.StrictSerializer):
    user_id = api.StrictUUIDField("person", help_text="A member of the account, who becomes its owner.")
    password = api.PasswordField(help_text="The caller's own.")


class InvitationInput(api.StrictSerializer):
    email = api.StrictEmailField(max_length=254)
    role = api.StrictChoiceField(choices=Invitable.choices)


class AcceptInput(api.StrictSerializer):
    token = MailedTokenField()
    password = api.PasswordField(
        required=False,
        help_text="For an address that is not registered, the new password; for one that is, its password.",
    )
    totp_code = TotpCodeField(required=False, help_text="Beside the password of somebody who has a second factor.")
    full_name = NameField(
        required=False, allow_blank=True, help_text="Of somebody new; otherwise nothing changes.", example=FULL_NAME
    )


class AccountOutput(api.OutputSerializer):
    id = api.IdField("account")
    name = api.TextField(example=COMPANY_NAME)
    role = api.EnumField(Role.choices, help_text="The caller's.")
    created_at = api.TimestampField()
    current = api.FlagField(help_text="Whether it is the account that this session acts for.")


class MemberOutput(api.OutputSerializer):
    user_id = api.IdField("person")
    email = api.EmailField()
    full_name = api.TextField(example=FULL_NAME)
    role = api.EnumField(Role.choices)
    joined_at = api.TimestampField()


class InvitationOutput(api.OutputSerializer):
    id = api.IdField()
    email = api.EmailField()
    role = api.EnumField(Invitable.choices)
    invited_by = api.IdField("person", allow_null=True, help_text="Null once that person is gone.")
    sent_at = api.TimestampField(help_text="When it was mailed last.")
    expires_at = api.TimestampField()
    created_at = api.TimestampField()


def account_data(account: Account, role: str, caller: Caller) -> dict[str, Any]:
    return AccountOutput.of(account, role=role, current=account.pk == caller.account_id)


def member_data(member: Membership) -> dict[str, Any]:
    return MemberOutput.of(member.user, user_id=member.user_id, role=member.role, joined_at=member.created_at)


def invitation_data(invitation: Invitation) -> dict[str, Any]:
    return InvitationOutput.of(invitation, invited_by=invitation.invited_by_id)

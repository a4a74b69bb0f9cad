"""The members of an account, and the invitations to it: `team/…`."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.models import Invitation, Membership
from accounts.serializers.teams import (
    AccountOutput,
    InvitationInput,
    InvitationOutput,
    MemberInput,
    MemberOutput,
    TransferInput,
    invitation_data,
    member_data,
)
from accounts.teams import invitations, members
from accounts.views.accounts import current_account_data
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.viewsets import ListMixin


class TeamViewSet(AccountViewSet):
    tag = "Profile and team"
    endpoints = {
        "leave": Endpoint("leave_account", scope=Scope.SELF, errors=("conflict",)),
        "transfer_ownership": Endpoint(
            "transfer_ownership",
            scope=Scope.ACCOUNT_OWN,
            request=TransferInput,
            response=AccountOutput,
            # Not idempotent by key: its record would keep a fast hash of a body that holds a password.
            errors=("invalid_credentials",),
        ),
    }

    @action(detail=False, methods=["post"])
    def leave(self, request: Request) -> Response:
        """Leave the account."""
        members.leave_account(self.caller)
        return Response(status=204)

    @action(detail=False, methods=["post"], url_path="transfer-ownership")
    def transfer_ownership(self, request: Request) -> Response:
        """Hand the account over to a member.

        The other member becomes owner, the caller admin.
        """
        members.transfer_ownership(self.caller, **self.body)
        return Response(current_account_data(self.caller))


class MemberViewSet(ListMixin, AccountViewSet):
    tag = "Profile and team"
    queryset = Membership.objects.select_related("user")
    lookup_field = "user_id"
    representation = staticmethod(member_data)
    endpoints = {
        "list": Endpoint("list_members", "List the team", scope=Scope.TEAM_READ, response=MemberOutput, many=True),
        "partial_update": Endpoint(
            "update_member", scope=Scope.TEAM_MANAGE, request=MemberInput, response=MemberOutput, errors=("conflict",)
        ),
        "destroy": Endpoint("remove_member", scope=Scope.TEAM_MANAGE, errors=("conflict",)),
    }

    def partial_update(self, request: Request, user_id: UUID) -> Response:
        """Change a member's role."""
        return Response(member_data(members.change_role(self.caller, user_id, **self.body)))

    def destroy(self, request: Request, user_id: UUID) -> Response:
        """Remove a member.

        Their access ends within a minute.
        """
        members.remove_member(self.caller, user_id)
        return Response(status=204)


class InvitationViewSet(ListMixin, AccountViewSet):
    tag = "Profile and team"
    queryset = Invitation.objects.all()
    representation = staticmethod(invitation_data)
    endpoints = {
        "list": Endpoint(
            "list_invitations",
            "List the open invitations",
            scope=Scope.TEAM_MANAGE,
            response=InvitationOutput,
            many=True,
        ),
        "create": Endpoint(
            "create_invitation",
            scope=Scope.TEAM_MANAGE,
            # Sends mail to an arbitrary address: the inviter must be verified.
            verified_email=True,
            request=InvitationInput,
            response=InvitationOutput,
            status=201,
            idempotency=Idempotency.ATOMIC,
            errors=("conflict",),
        ),
        "destroy": Endpoint("revoke_invitation", scope=Scope.TEAM_MANAGE),
        "resend": Endpoint(
            "resend_invitation",
            scope=Scope.TEAM_MANAGE,
            verified_email=True,
            response=InvitationOutput,
            status=202,
            idempotency=Idempotency.ATOMIC,
        ),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(expires_at__gt=timezone.now())

    def create(self, request: Request) -> Response:
        """Invite somebody by mail."""
        return Response(invitation_data(invitations.create_invitation(self.caller, **self.body)), status=201)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Take an invitation back."""
        invitations.revoke_invitation(self.caller, pk)
        return Response(status=204)

    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: UUID) -> Response:
        """Send an invitation again."""
        return Response(invitation_data(invitations.resend_invitation(self.caller, pk)), status=202)

"""The members of an account, and the invitations to it."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import BearerAuthentication
from accounts.caller import Caller, caller_of
from accounts.enums import Scope
from accounts.idempotency import IDEMPOTENCY_KEY, Effect, idempotent
from accounts.models import Invitation, Membership
from accounts.serializers.people import SignedInOutput, signed_in_data
from accounts.serializers.teams import (
    AcceptInput,
    AccountOutput,
    InvitationInput,
    InvitationOutput,
    MemberInput,
    MemberOutput,
    TransferInput,
    invitation_data,
    member_data,
)
from accounts.services import require_verified_email
from accounts.services.teams import inviting, joining, members
from accounts.views.accounts import present_account
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView


def invitations_of(request: Request) -> QuerySet[Any]:
    return Invitation.objects.pending(timezone.now()).filter(account=caller_of(request).account_id)


class MembersView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.TEAM_READ}

    @extend_schema(responses=MemberOutput(many=True), operation_id="list_members", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(Membership.objects.filter(account=caller_of(request).account_id).select_related("user"))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [member_data(member) for member in rows]


class MemberView(StrictAPIView):
    scopes: ClassVar = {"PATCH": Scope.TEAM_MANAGE, "DELETE": Scope.TEAM_MANAGE}

    @extend_schema(request=MemberInput, responses=MemberOutput, operation_id="update_member")
    def patch(self, request: Request, user_id: UUID) -> Response:
        changes = validated(MemberInput, request.data)
        return Response(member_data(members.change_role(caller_of(request), user_id, **changes)))

    @extend_schema(responses={204: None}, operation_id="remove_member")
    def delete(self, request: Request, user_id: UUID) -> Response:
        members.remove(caller_of(request), user_id)
        return Response(status=204)


class LeaveView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.SELF}
    reads_body: ClassVar = frozenset()

    @extend_schema(request=None, responses={204: None}, operation_id="leave_account")
    def post(self, request: Request) -> Response:
        members.leave(caller_of(request))
        return Response(status=204)


class TransferOwnershipView(StrictAPIView):
    """Without `Idempotency-Key`: its record would keep a fast hash of a body that holds a password."""

    scopes: ClassVar = {"POST": Scope.ACCOUNT_OWN}

    @extend_schema(
        request=TransferInput,
        responses=AccountOutput,
        operation_id="transfer_ownership",
        description="The other member becomes owner, the caller admin.",
    )
    def post(self, request: Request) -> Response:
        members.transfer_ownership(caller_of(request), **validated(TransferInput, request.data))
        return Response(present_account(request))


class InvitationsView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.TEAM_MANAGE, "POST": Scope.TEAM_MANAGE}

    @extend_schema(responses=InvitationOutput(many=True), operation_id="list_invitations", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(invitations_of(request))

    @extend_schema(
        request=InvitationInput,
        responses={201: InvitationOutput},
        operation_id="create_invitation",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request) -> Effect:
        caller, wish = caller_of(request), validated(InvitationInput, request.data)
        # Our mail goes to a stranger: at least we know who asked for it.
        require_verified_email(caller.user_id)
        return lambda: Response(invitation_data(inviting.invite(caller, **wish)), status=201)

    def represent(self, rows: list[Any]) -> list[Any]:
        return [invitation_data(invitation) for invitation in rows]


class InvitationView(StrictAPIView):
    scopes: ClassVar = {"DELETE": Scope.TEAM_MANAGE}

    @extend_schema(responses={204: None}, operation_id="revoke_invitation")
    def delete(self, request: Request, pk: UUID) -> Response:
        inviting.revoke(caller_of(request), pk)
        return Response(status=204)


class ResendInvitationView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.TEAM_MANAGE}
    reads_body: ClassVar = frozenset()

    @extend_schema(
        request=None,
        responses={202: InvitationOutput},
        operation_id="resend_invitation",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        caller = caller_of(request)
        return lambda: Response(invitation_data(inviting.resend(caller, pk)), status=202)


class AcceptInvitationView(StrictAPIView):
    """Open to everybody who has the token; somebody registered may prove who they are by an access token."""

    authentication_classes = (BearerAuthentication,)
    permission_classes = ()

    @extend_schema(
        request=AcceptInput,
        responses=SignedInOutput,
        operation_id="accept_invitation",
        description="Joins the account, and signs in to it. An address that is registered sends its access token or "
        "its password; any other becomes a new person, and `password` is theirs.",
    )
    def post(self, request: Request) -> Response:
        wish = validated(AcceptInput, request.data)
        signed_in_as = request.user.user_id if isinstance(request.user, Caller) else None
        return Response(signed_in_data(joining.accept(wish.pop("token"), signed_in_as=signed_in_as, **wish)))

"""Admin page of sign-up credits that wait for a decision by staff."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from billing.models import SignupGrant
from billing.purchases import signup_grants
from genvid.admin import ReadOnlyAdmin
from genvid.panels import coloured, linked

MAX_DECISIONS_AT_ONCE = 200


@admin.register(SignupGrant)
class SignupGrantAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "account_link", "credits", "state", "decided_at", "decider")
    account_link, decider = linked("account", description="customer"), linked("decided_by", description="decided by")
    state = coloured("status", {"success": ["granted"], "warning": ["waiting"]})
    list_filter = ("status", "created_at")
    search_fields = ("account__name", "account__id", "account__members__email")
    list_select_related = ("account", "decided_by")
    actions = ("approve", "decline")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        allowed: bool = request.user.has_perm("billing.change_signupgrant")
        return allowed

    @admin.action(description="Approve: grant the waiting credits", permissions=["decide"])
    def approve(self, request: HttpRequest, grants: "QuerySet[SignupGrant]") -> None:
        self._decide(request, grants, signup_grants.approve_signup_grant, "approved")

    @admin.action(description="Decline: grant none, and none to this mailbox later", permissions=["decide"])
    def decline(self, request: HttpRequest, grants: "QuerySet[SignupGrant]") -> None:
        self._decide(request, grants, signup_grants.decline_signup_grant, "declined")

    def _decide(
        self, request: HttpRequest, grants: "QuerySet[SignupGrant]", decision: Callable[..., bool], word: str
    ) -> None:
        staff = User.objects.get(pk=request.user.pk)
        decided = sum(decision(grant, staff=staff) for grant in grants[:MAX_DECISIONS_AT_ONCE])
        self.message_user(request, f"{decided} of the chosen grants {word}.", messages.SUCCESS)

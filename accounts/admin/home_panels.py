"""The last acts of staff, failing webhook endpoints and look-ups of customers on the staff's home page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Account, Membership, StaffAct, User, WebhookEndpoint
from genvid.staff_home import HomePanel, LookUp, Work, add_look_ups, add_panels, add_work, count_rows

SHOWN = 20
SEE_ACTS = "accounts.view_staffact"
SEE_ACCOUNTS = "accounts.view_account"


def read_acts(_: HttpRequest) -> Mapping[str, Any]:
    acts: QuerySet[StaffAct] = StaffAct.objects.select_related("user", "account").order_by("-created_at", "-id")
    return {"acts": acts[:SHOWN]}


def find_account(term: str) -> str | None:
    try:
        key = UUID(term)
    except ValueError:
        return None
    return _page_of_account(key) if Account.objects.filter(pk=key).exists() else None


def find_account_of_person(term: str) -> str | None:
    """The account of a person: the first that they joined."""
    memberships = Membership.objects.filter(user__email=term.lower()) if "@" in term else Membership.objects.none()
    key = memberships.order_by("created_at", "pk").values_list("account_id", flat=True).first()
    return _page_of_account(key) if key else None


def find_person(term: str) -> str | None:
    """People without an account, such as staff."""
    key = User.objects.filter(email=term.lower()).values_list("pk", flat=True).first() if "@" in term else None
    return reverse("admin:accounts_user_change", args=[key]) if key else None


def _page_of_account(key: UUID) -> str:
    return reverse("admin:accounts_account_change", args=[key])


add_panels(
    HomePanel(
        "acts",
        "Last acts of staff",
        "accounts/home/acts.html",
        read_acts,
        order=80,
        permissions=(SEE_ACTS,),
        is_wide=True,
    )
)
add_work(
    Work(
        "endpoints",
        "Failing webhook endpoints",
        lambda: count_rows(WebhookEndpoint.objects.failing()),
        lambda: reverse("admin:accounts_webhookendpoint_changelist") + "?state=failing",
        "accounts.view_webhookendpoint",
    )
)
add_look_ups(
    LookUp(find_account_of_person, SEE_ACCOUNTS),
    LookUp(find_person, "accounts.view_user"),
    LookUp(find_account, SEE_ACCOUNTS),
)

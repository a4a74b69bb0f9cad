"""Read-only pages of dj-stripe's copies of Stripe's objects. Nothing decides by them; names and addresses are left out.

Ids link to what has them by the search of the home page, which costs a list no query.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.db.models import ForeignKey, Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join

from accounts.models import Account, User
from billing import money
from billing.models import Customer, FormerCustomer
from billing.stripe.dashboard import dashboard_url
from genvid.admin import ReadOnlyAdmin
from genvid.admin_lists import addresses_like
from genvid.panels import Cell, Panel, label, link, list_of, panel
from genvid.staff_home import LookUp, add_look_ups

SEE_COPIES = "djstripe.view_customer"
GOOD = ("succeeded", "paid", "complete", "active", "trialing", "won")
BAD = ("failed", "canceled", "lost", "unpaid", "uncollectible", "past_due", "incomplete_expired")
SHOWN = (
    *("amount", "amount_total", "amount_paid", "amount_due", "amount_received", "amount_captured", "amount_refunded"),
    *("unit_amount", "currency", "status", "payment_status", "paid", "captured", "refunded", "disputed", "reason"),
    *("failure_code", "failure_message", "cancel_at_period_end", "billing_reason", "mode", "type", "active"),
    *("balance", "delinquent", "capture_method", "attempt_count", "number", "object"),
)
"""Of an object as Stripe sent it, what the page shows: no names, addresses, cards or links to pay."""
AMOUNTS = ("amount", "amount_total", "amount_paid", "unit_amount")
PREFIXES = {
    "cus_": "Customer",
    "sub_": "Subscription",
    "in_": "Invoice",
    "pi_": "PaymentIntent",
    "ch_": "Charge",
    "re_": "Refund",
    "dp_": "Dispute",
    "du_": "Dispute",
    "cs_": "Session",
    "pm_": "PaymentMethod",
    "price_": "Price",
    "prod_": "Product",
}
DASHBOARD = {
    "Customer": "customers",
    "Subscription": "subscriptions",
    "Invoice": "invoices",
    "PaymentIntent": "payments",
    "Charge": "payments",
}
OF_CUSTOMER = ("Subscription", "Invoice", "PaymentIntent", "Charge", "Session", "PaymentMethod")
RELATED = ("customer", "charge", "payment_intent", "invoice", "subscription", "payment_method", "product")


def copies_of(name: str) -> type[Model]:
    return apps.get_model("djstripe", name)


def find_link(stripe_id: str | None) -> Cell:
    """To our row of an object of Stripe's, or to its copy."""
    return link(stripe_id, f"{reverse('admin:find')}?{urlencode({'q': stripe_id})}") if stripe_id else None


class CopyAdmin(ReadOnlyAdmin):
    list_display = ("created", "id", "sum_of_money", "state", "of_customer", "livemode")
    list_filter = ("created", "livemode")
    # `get_search_results` looks them up by index.
    search_fields = ("id",)
    search_help_text = "Id of the object, of its customer, charge, payment or invoice, or a person's e-mail address"
    ordering = ("-djstripe_id",)
    fields = readonly_fields = (
        *("id", "sum_of_money", "state", "of_customer", "belongs_to", "said", "at_stripe", "created", "livemode"),
        *("djstripe_created", "djstripe_updated"),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        term = search_term.strip()
        return (queryset.filter(_found_by(queryset.model, term)) if term else queryset), False

    @admin.display(description="Amount")
    def sum_of_money(self, row: Any) -> str:
        said = row.stripe_data
        found = next((said[name] for name in AMOUNTS if isinstance(said.get(name), int)), None)
        return "-" if found is None or not said.get("currency") else money.money_text(found, said["currency"])

    @admin.display(description="State")
    def state(self, row: Any) -> Cell:
        said = str(row.stripe_data.get("status") or "")
        return label(said, "success" if said in GOOD else "danger" if said in BAD else "") if said else "-"

    @admin.display(description="Customer")
    def of_customer(self, row: Any) -> Cell:
        return find_link(row.stripe_data.get("id") if _is_customer(row) else getattr(row, "customer_id", None)) or "-"

    @admin.display(description="Belongs to")
    def belongs_to(self, row: Any) -> Cell:
        ids = [getattr(row, f"{name}_id") for name in _related(type(row))]
        return format_html_join(" · ", "{}", ((find_link(each),) for each in ids if each)) or "-"

    @admin.display(description="Stripe said")
    def said(self, row: Any) -> Cell:
        return format_html_join("", "<div>{}: {}</div>", _facts(row.stripe_data)) or "-"

    @admin.display(description="At Stripe")
    def at_stripe(self, row: Any) -> Cell:
        kind = DASHBOARD.get(row.__class__.__name__)
        url = dashboard_url(kind, row.id) if kind else None
        return link("Open", url) if url else "-"


def _is_customer(row: Any) -> bool:
    return isinstance(row, copies_of("Customer"))


def _facts(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in SHOWN:
        value = said.get(name)
        if value not in (None, "") and isinstance(value, (str, int, float)):
            yield name, value


def _found_by(model: type[Model], term: str) -> Q:
    """Each column has an index."""
    values = _customers_of(term) if "@" in term else [term]
    return reduce(or_, (Q(**{f"{column}__in": values}) for column in ("id", *_related(model))))


def _related(model: type[Model]) -> list[str]:
    """Columns that hold the id of another object of Stripe's; some of dj-stripe's hold a number of its own."""
    fields = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey) and field.name in RELATED]
    return [field.name for field in fields if field.target_field.name == "id"]


def _customers_of(email: str) -> list[str]:
    people = addresses_like(User._meta.get_field("email"), email)
    accounts = list(Account.objects.filter(members__email__in=people).values_list("pk", flat=True)[:100])
    return _stripe_ids(accounts)


def _stripe_ids(accounts: list[Any]) -> list[str]:
    return [
        stripe_id
        for model in (Customer, FormerCustomer)
        for stripe_id in model.objects.filter(account__in=accounts).values_list("stripe_customer_id", flat=True)
        if stripe_id
    ]


def find_copy(term: str) -> str | None:
    name = PREFIXES.get(f"{term.partition('_')[0]}_")
    key = name and copies_of(name)._default_manager.filter(id=term).values_list("pk", flat=True).first()
    return reverse(f"admin:djstripe_{str(name).lower()}_change", args=[key]) if key else None


@panel("accounts.account", order=37, permission=SEE_COPIES)
def copies(request: HttpRequest, account: Account) -> Panel:
    rows = [
        (link(f"Customer {stripe_id}", list_of(copies_of("Customer"), q=stripe_id)), *_lists_of(stripe_id))
        for stripe_id in _stripe_ids([account.pk])
    ]
    headers = ("At Stripe", *(str(copies_of(name)._meta.verbose_name_plural).capitalize() for name in OF_CUSTOMER))
    return Panel("Copies of Stripe's objects", headers, rows, note="Refunds and disputes are linked from their charge.")


def _lists_of(stripe_id: str) -> list[Cell]:
    return [link("Show", list_of(copies_of(name), customer__exact=stripe_id)) for name in OF_CUSTOMER]


for _name in dict.fromkeys(PREFIXES.values()):
    admin.site.register(copies_of(_name), CopyAdmin)
add_look_ups(LookUp(find_copy, SEE_COPIES))

"""HomePanel, work and look-ups of money on the staff's home page."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from billing import money
from billing.enums import OPEN_DISPUTES, AdjustmentStatus, SignupGrantStatus
from billing.models import (
    Checkout,
    CreditAdjustment,
    Customer,
    Dispute,
    Invoice,
    Payment,
    SignupGrant,
    StripeSync,
    Subscription,
    TopUp,
    Wallet,
)
from billing.models.wallets import OVERDRAWN
from billing.purchases import daily_margin
from billing.purchases.daily_margin import CURRENCY, Line
from billing.purchases.margin import cost_text, margin_text
from genvid.charts import chart
from genvid.staff_home import HomePanel, LookUp, Work, add_look_ups, add_panels, add_work, count_rows

SEE_MONEY = "billing.view_payment"
STRIPE_IDS: dict[str, list[tuple[type[Model], str]]] = {
    "pi_": [(Payment, "stripe_payment_intent_id"), (TopUp, "stripe_payment_intent_id")],
    "cs_": [(Payment, "source_id"), (Checkout, "stripe_session_id")],
    "in_": [(Payment, "source_id"), (Invoice, "stripe_invoice_id")],
    "ch_": [(Payment, "stripe_charge_id")],
    "sub_": [(Subscription, "stripe_subscription_id")],
    "cus_": [(Customer, "stripe_customer_id")],
    "dp_": [(Dispute, "stripe_dispute_id")],
    "du_": [(Dispute, "stripe_dispute_id")],
}
"""Where the id of each kind stands, each in a unique column."""


def read_money(_: HttpRequest) -> Mapping[str, Any]:
    found = daily_margin.summary()
    rows = [("Today", found.today), (found.month.name, found.month)]
    lines = found.days
    series = {
        "revenue": [line.revenue / 100 for line in lines],
        "provider": [line.cost / 100 for line in lines],
        "margin": [line.margin / 100 for line in lines],
    }
    about = f"Revenue, provider cost and margin of the last {len(lines)} days in {CURRENCY.upper()}."
    plot = chart("money", about, [line.name[5:] for line in lines], series)
    return {"rows": [_texts(name, line) for name, line in rows], "chart": plot, "currency": CURRENCY.upper()}


def _texts(name: str, line: Line) -> dict[str, str]:
    return {
        "name": name,
        "revenue": money.money_text(line.revenue, CURRENCY),
        "cost": cost_text(line.provider_microdollars, line.unknown_costs),
        "margin": margin_text(line.margin, CURRENCY, line.unknown_costs),
    }


def find_by_stripe_id(model: type[Model], term: str) -> str | None:
    """The page of that model's row."""
    kind = f"{term.partition('_')[0]}_"
    for each, column in STRIPE_IDS.get(kind, ()):
        if each is model:
            key = model._default_manager.filter(**{column: term}).values_list("pk", flat=True).first()
            return key and reverse(f"admin:billing_{model._meta.model_name}_change", args=[key])
    return None


def _list(model: type[Model], query: str = "") -> Callable[[], str]:
    return lambda: reverse(f"admin:billing_{model._meta.model_name}_changelist") + query


add_panels(
    HomePanel("money", "Money", "billing/home/money.html", read_money, order=70, permissions=(SEE_MONEY,), is_wide=True)
)
add_work(
    Work(
        "disputes",
        "Disputes",
        lambda: count_rows(Dispute.objects.filter(status__in=OPEN_DISPUTES)),
        _list(Dispute, "?state=open"),
        "billing.view_dispute",
        True,
    ),
    Work(
        "wallets",
        "Overdrawn wallets",
        lambda: count_rows(Wallet.objects.filter(OVERDRAWN)),
        _list(Wallet, "?state=overdrawn"),
        "billing.view_wallet",
    ),
    Work(
        "stripe-syncs",
        "Stuck Stripe syncs",
        lambda: count_rows(StripeSync.objects.stuck()),
        _list(StripeSync, "?state=stuck"),
        "billing.view_stripesync",
        True,
    ),
    Work(
        "credits-by-hand",
        "Credits to confirm",
        lambda: count_rows(CreditAdjustment.objects.filter(status=AdjustmentStatus.WAITING)),
        _list(CreditAdjustment, f"?status__exact={AdjustmentStatus.WAITING}"),
        "billing.view_creditadjustment",
    ),
    Work(
        "signup-credits",
        "Sign-up credits to decide",
        lambda: count_rows(SignupGrant.objects.filter(status=SignupGrantStatus.WAITING)),
        _list(SignupGrant, f"?status__exact={SignupGrantStatus.WAITING}"),
        "billing.view_signupgrant",
    ),
)
# Payments before the rest: most ids are of what led to one.
for _model in dict.fromkeys(model for found in STRIPE_IDS.values() for model, _ in found):
    add_look_ups(LookUp(partial(find_by_stripe_id, _model), f"billing.view_{_model._meta.model_name}"))

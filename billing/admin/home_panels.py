"""HomePanel, work and look-ups of money on the staff's home page."""

from collections.abc import Callable, Mapping, Sequence
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
from billing.purchases.daily_margin import Line
from billing.purchases.margin import COST_CURRENCY, cost_text, margin_text
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
    others = [{currency: sums[number] for currency, sums in found.others.items()} for number in range(len(rows))]
    series = money_series(found.days)
    about = f"{', '.join(series).capitalize()} of the last {len(found.days)} days."
    plot = chart("money", about, [line.name[5:] for line in found.days], series)
    texts = [_texts(name, line, more) for (name, line), more in zip(rows, others, strict=True)]
    return {"rows": texts, "chart": plot, "has_margin": found.month.margin is not None and not found.others}


def _texts(name: str, line: Line, others: Mapping[str, int]) -> dict[str, str]:
    """`others`: revenue in further currencies. With any there is no margin, since costs are in dollars."""
    revenue = {line.currency: line.revenue} | {currency: amount for currency, amount in others.items() if amount}
    margin = line.margin if len(revenue) == 1 else None
    return {
        "name": name,
        "revenue": " + ".join(money.money_text(amount, currency) for currency, amount in revenue.items()),
        "cost": cost_text(line.provider_microdollars, line.unknown_costs),
        "margin": margin_text(margin, line.currency, line.unknown_costs),
    }


def money_series(lines: Sequence[Line]) -> dict[str, list[float]]:
    """Of a plot: one line at least, revenue in its currency, cost in dollars, margin where there is one."""
    currency = lines[0].currency
    series = {
        f"revenue {currency.upper()}": [line.revenue / money.minor_units(currency) for line in lines],
        f"provider {COST_CURRENCY.upper()}": [line.cost / 100 for line in lines],
    }
    if lines[0].margin is not None:
        series["margin"] = [(line.margin or 0) / 100 for line in lines]
    return series


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

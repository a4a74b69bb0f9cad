"""What Stripe knows of this installation, for the doctor. All functions raise BillingError."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from billing.stripe.stripe_client import get, list_all
from billing.stripe.stripe_errors import BillingError

READ_PATHS = (
    *("products", "prices", "customers", "checkout/sessions", "payment_intents", "refunds", "subscriptions"),
    *("billing_portal/configurations", "webhook_endpoints", "charges", "invoices", "disputes", "events"),
    "radar/early_fraud_warnings",
)
"""What a restricted key has to read. Stripe tells nobody the rights of a key: they are tried."""


@dataclass(frozen=True)
class EndpointState:
    id: str
    is_enabled: bool
    api_version: str
    events: frozenset[str]


def is_restricted() -> bool:
    return settings.STRIPE_SECRET_KEY.startswith("rk_")


def check_key() -> None:
    get("prices", limit=1)


def unreadable_paths() -> list[str]:
    return [path for path in READ_PATHS if not _may_read(path)]


def _may_read(path: str) -> bool:
    try:
        get(path, limit=1)
    except BillingError as error:
        if error.code != "not_permitted":
            raise
        return False
    return True


def endpoint_at(url: str) -> EndpointState | None:
    """The one that is switched on, where Stripe has several at one address."""
    found = [each for each in list_all("webhook_endpoints") if each["url"] == url]
    states = [
        EndpointState(
            str(each["id"]),
            each.get("status") == "enabled",
            str(each.get("api_version") or ""),
            frozenset(each.get("enabled_events") or ()),
        )
        for each in found
    ]
    return max(states, key=lambda state: state.is_enabled, default=None)


def prices_not_for_sale(price_ids: Iterable[str]) -> set[str]:
    """Those of `price_ids` that Stripe does not know or does not sell."""
    return set(price_ids) - {str(price["id"]) for price in list_all("prices", active=True)}

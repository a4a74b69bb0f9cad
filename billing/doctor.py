"""Checks of the doctor: Stripe's key and its rights, our webhook there, and the prices."""

from collections.abc import Iterator

from django.conf import settings

from billing.models import Plan, PlanPrice
from billing.stripe import account_checks, webhook_endpoint
from billing.stripe.event_types import EVENT_TYPES
from billing.stripe.stripe_client import is_configured
from billing.stripe.stripe_errors import BillingError
from genvid.doctor import Finding, check, failed, ok, warning
from genvid.doctor.checks import one_line

SET_UP = "Run `manage.py setup_stripe`."
REFUSALS = {
    "bad_key": "Check STRIPE_SECRET_KEY at Stripe, under Developers.",
    "not_permitted": "Give the restricted key the rights that docs/production.md lists.",
}
UNREACHED = "Check STRIPE_API_HOST, and that this machine reaches it."


@check("stripe", seconds=60, advice=UNREACHED, outside=True)
def ask_stripe() -> Iterator[Finding]:
    if not is_configured():
        yield warning("STRIPE_SECRET_KEY is empty: nothing is sold", "Set it where people should buy.")
        return
    try:
        account_checks.check_key()
        yield from _judge_account()
    except BillingError as error:
        yield failed(f"Stripe: {one_line(error)}", REFUSALS.get(error.code, UNREACHED))


def _judge_account() -> Iterator[Finding]:
    yield ok(f"the {'live' if settings.STRIPE_LIVE_MODE else 'test'} key works")
    if account_checks.is_restricted():
        if missing := account_checks.unreadable_paths():
            yield failed(f"the restricted key may not read {', '.join(missing)}", REFUSALS["not_permitted"])
            return
        yield ok("the restricted key reads all that it has to")
    yield _judge_endpoint()
    yield _judge_prices()


def _judge_endpoint() -> Finding:
    url = webhook_endpoint.webhook_url()
    theirs = account_checks.endpoint_at(url)
    if theirs is None:
        return failed(f"Stripe does not call {url}", SET_UP)
    if not theirs.is_enabled:
        advice = f"It does so when deliveries fail for days: mend what refused them, then switch it on again. {SET_UP}"
        return failed(f"Stripe has switched the webhook {url} off", advice)
    if not webhook_endpoint.has_secret(theirs.id):
        return failed("the signing secret of Stripe's webhook is not known here", SET_UP)
    missing = set() if "*" in theirs.events else set(EVENT_TYPES) - theirs.events
    if missing or theirs.api_version not in ("", settings.STRIPE_API_VERSION):
        return warning(f"Stripe's webhook {url} has other events or another API version", SET_UP)
    return ok(f"Stripe calls {url}")


def _judge_prices() -> Finding:
    on_sale = Plan.objects.filter(is_active=True)
    current = PlanPrice.objects.filter(is_current=True, plan__in=on_sale).values_list("stripe_price_id", "plan__code")
    codes = dict(current)
    unsold = {codes[price_id] for price_id in account_checks.prices_not_for_sale(codes)}
    unsold |= set(on_sale.values_list("code", flat=True)) - set(codes.values())
    if unsold:
        return failed(f"Stripe has no price for {', '.join(sorted(unsold))}", SET_UP)
    return ok(f"{len(codes)} prices are for sale")

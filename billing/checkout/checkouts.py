"""Purchases on Stripe's pages. The row is written before the call, so a repeated request finds the first page."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4, uuid5

import structlog
from django.conf import settings
from django.db.models import QuerySet

from accounts.caller import Caller
from billing.enums import CheckoutStatus, PlanKind, SyncKind
from billing.models import Checkout, Plan, PlanPrice, Shop, Subscription
from billing.purchases import customers, stripe_prices, subscriptions
from billing.stripe import commands
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import handlers, sync_queue
from genvid import cache
from genvid.api.serializers import refuse_field
from genvid.errors import Conflict, NotFound, PermissionDenied, ProviderUnavailable

logger = structlog.get_logger(__name__)
LOOK_AGAIN = 2.0
"""Seconds between two reads from Stripe that a waiting buyer may cause."""


@dataclass(frozen=True)
class CheckoutRequest:
    plan_id: UUID
    success_url: str = ""
    cancel_url: str = ""


def start_checkout(caller: Caller, request: CheckoutRequest, *, idempotency_key: str | None) -> dict[str, Any]:
    """Opens Stripe's pay page: `{checkout_url, session_id}`. Nothing is owed until somebody pays there.

    Must not run in a transaction. Raises ValidationFailed on a field, Conflict for a second subscription,
    PermissionDenied for test keys, ProviderUnavailable while Stripe does not answer.
    """
    plan = _plan_of(caller, request)
    try:
        price = stripe_prices.price_for_sale(plan)
        checkout = _row(caller, price, idempotency_key)
        if plan.kind == PlanKind.SUBSCRIPTION:
            _close_others(checkout)
        page = _page(checkout, plan, request)
    except BillingError as error:
        raise translated_refusal(error) from error
    Checkout.objects.filter(pk=checkout.pk, status=CheckoutStatus.STARTING).update(
        status=CheckoutStatus.OPEN, stripe_session_id=page.session_id, expires_at=page.expires_at
    )
    return {"checkout_url": page.url, "session_id": page.session_id}


def _plan_of(caller: Caller, request: CheckoutRequest) -> Plan:
    if caller.is_test:
        raise PermissionDenied("A test key cannot spend money.")
    for name in ("success_url", "cancel_url"):
        _check_url(name, getattr(request, name))
    plan = Plan.objects.filter(pk=request.plan_id, is_active=True).first()
    if plan is None:
        raise refuse_field("plan_id", "There is no such plan for sale.")
    if plan.kind == PlanKind.SUBSCRIPTION:
        _refuse_second(caller.account_id)
    return plan


def _check_url(name: str, url: str) -> None:
    """Only the operator's own origins: our page must not redirect buyers anywhere else."""
    if not url:
        return
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}".lower() not in settings.CHECKOUT_RETURN_ORIGINS or "\\" in url:
        allowed = ", ".join(settings.CHECKOUT_RETURN_ORIGINS)
        raise refuse_field(name, f"Must be an address at one of: {allowed}.")


def _row(caller: Caller, price: PlanPrice, idempotency_key: str | None) -> Checkout:
    """Returns the same row, and so the same page, for a repetition under one Idempotency-Key after a crash."""
    pk = uuid5(caller.account_id, f"checkout:{idempotency_key}:{price.pk}") if idempotency_key else uuid4()
    made = {"account_id": caller.account_id, "user_id": caller.user_id, "price": price}
    return Checkout.objects.get_or_create(pk=pk, defaults=made)[0]


def _close_others(checkout: Checkout) -> None:
    """Only an account's newest pay page for a subscription stays open: who paid at two would be billed twice."""
    others = Checkout.objects.filter(account=checkout.account_id, status=CheckoutStatus.OPEN)
    close_open_checkouts(others.filter(price__plan__kind=PlanKind.SUBSCRIPTION).exclude(pk=checkout.pk))
    _refuse_second(checkout.account_id)


def close_open_checkouts(pages: QuerySet[Checkout]) -> None:
    """Closes the pages at Stripe and records what has been paid by now. Raises BillingError."""
    for session_id in pages.values_list("stripe_session_id", flat=True):
        try:
            commands.expire_checkout_session(str(session_id))
        except BillingError as error:
            if error.retryable:
                raise
        # It has been closed, or paid at by now.
        handlers.sync_object(SyncKind.SESSION, str(session_id))


def _refuse_second(account_id: UUID) -> None:
    live = subscriptions.live_subscription_of(account_id)
    if live is not None and not _has_ended(live):
        raise Conflict("This account has a subscription. Change its plan in the portal (POST billing/portal).")


def _has_ended(live: Subscription) -> bool:
    """Asks Stripe: the row may belong to another mode. Without an answer the row counts."""
    try:
        handlers.sync_object(SyncKind.SUBSCRIPTION, live.pk)
    except BillingError as error:
        logger.warning("subscription_not_looked_at", subscription=live.pk, error=str(error))
    return subscriptions.live_subscription_of(live.account_id) is None


def _page(checkout: Checkout, plan: Plan, request: CheckoutRequest) -> commands.PayPage:
    customer_id = customers.ensure_customer(checkout.account_id)
    try:
        return _page_of(customer_id, checkout, plan, request)
    except BillingError as error:
        if error.code != "not_found":
            raise
        # After a change of mode both are gone.
        is_gone, price = customers.release_customer_if_gone(customer_id), stripe_prices.replaced_if_gone(checkout.price)
        if not is_gone and price is None:
            raise
    if price is not None:
        checkout.price = price
        checkout.save(update_fields=["price"])
    return _page_of(customers.ensure_customer(checkout.account_id), checkout, plan, request)


def _page_of(customer_id: str, checkout: Checkout, plan: Plan, request: CheckoutRequest) -> commands.PayPage:
    is_subscription = plan.kind == PlanKind.SUBSCRIPTION
    return commands.create_checkout_session(
        key=f"checkout:{checkout.pk}:{customer_id}:{checkout.price.stripe_price_id}",
        customer_id=customer_id,
        price_id=checkout.price.stripe_price_id,
        is_subscription=is_subscription,
        trial_days=_trial_days(checkout.account_id, plan) if is_subscription else 0,
        success_url=request.success_url or f"{settings.PUBLIC_URL}/?checkout=done&session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=request.cancel_url or f"{settings.PUBLIC_URL}/?checkout=canceled",
        reference=str(checkout.pk),
    )


def _trial_days(account_id: UUID, plan: Plan) -> int:
    """Only the first subscription of an account begins with a trial."""
    return 0 if Subscription.objects.filter(account=account_id).exists() else plan.trial_days


def checkout_status(account_id: UUID, session_id: str) -> dict[str, Any]:
    """The state of a purchase, read from Stripe if its webhook has not come yet. Raises NotFound."""
    mine = Checkout.objects.filter(account=account_id, stripe_session_id=session_id).select_related("price")
    checkout = mine.first()
    if checkout is None:
        raise NotFound
    if checkout.status == CheckoutStatus.OPEN and cache.is_first_in(f"billing.looked:{session_id}", LOOK_AGAIN):
        sync_queue.request_sync(SyncKind.SESSION, session_id)
    return {
        "session_id": session_id,
        "status": checkout.status,
        "plan_id": checkout.price.plan_id,
        "created_at": checkout.created_at,
        "expires_at": checkout.expires_at,
    }


def start_portal(caller: Caller) -> dict[str, Any]:
    """`{portal_url}` of Stripe's customer portal. Raises Conflict for an account that never bought anything."""
    if caller.is_test:
        raise PermissionDenied("A test key cannot manage payments.")
    customer_id = customers.customer_of(caller.account_id)
    try:
        if not customer_id or customers.release_customer_if_gone(customer_id):
            raise Conflict("This account has bought nothing yet; POST billing/checkout first.")
        url = _portal_of(customer_id)
    except BillingError as error:
        raise translated_refusal(error) from error
    return {"portal_url": url}


def _portal_of(customer_id: str) -> str:
    try:
        return _opened_portal(customer_id)
    except BillingError as error:
        if error.code != "not_found" or not _portal_configuration():
            raise
    # Set up in another mode: what is for sale, and what the portal shows of it, are made anew.
    stripe_prices.push_plans()
    Shop.objects.update(portal_configuration_id=stripe_prices.push_portal())
    return _opened_portal(customer_id)


def _opened_portal(customer_id: str) -> str:
    return commands.create_portal_session(
        customer_id,
        f"{settings.PUBLIC_URL}/?billing",
        configuration_id=_portal_configuration(),
        key=f"portal:{uuid4()}",
    )


def _portal_configuration() -> str:
    """ "" is Stripe's own default, used before `setup_stripe` has run."""
    return Shop.objects.values_list("portal_configuration_id", flat=True).first() or ""


def translated_refusal(error: BillingError) -> ProviderUnavailable:
    """The error for the client; Stripe's own message is only logged."""
    logger.warning("stripe_refused", error=str(error), retryable=error.retryable)
    if error.code == "not_configured":
        unset = ProviderUnavailable("Payments are not set up on this site.")
        unset.retryable = False
        return unset
    again = ProviderUnavailable("The payment provider does not answer at present.", retry_after=5)
    again.retryable = error.retryable
    return again

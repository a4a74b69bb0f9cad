"""Purchases on Stripe's pages. The row is written before the call, so a repeated request gets the first page."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

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
MIN_SECONDS_BETWEEN_READS = 2.0


@dataclass(frozen=True)
class CheckoutRequest:
    plan_id: UUID
    success_url: str = ""
    cancel_url: str = ""


def start_checkout(caller: Caller, request: CheckoutRequest, *, checkout_id: UUID) -> dict[str, Any]:
    """Returns `{checkout_url, session_id}`; the same page for the same `checkout_id`. Must not run in a transaction.

    Raises ValidationFailed, PermissionDenied for test keys, Conflict for a second subscription, ProviderUnavailable.
    """
    plan = _plan_of(caller, request)
    try:
        price = stripe_prices.price_for_sale(plan)
        checkout = _checkout_row(caller, price, checkout_id)
        if plan.kind == PlanKind.SUBSCRIPTION:
            _close_other_pages(checkout)
        page = _create_page(checkout, plan, price, request)
    except BillingError as error:
        raise translate_error(error) from error
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
        _refuse_second_subscription(caller.account_id)
    return plan


def _check_url(name: str, url: str) -> None:
    """Raises ValidationFailed for other origins than the operator's: no open redirect."""
    if not url:
        return
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}".lower() not in settings.CHECKOUT_RETURN_ORIGINS or "\\" in url:
        allowed = ", ".join(settings.CHECKOUT_RETURN_ORIGINS)
        raise refuse_field(name, f"Must be an address at one of: {allowed}.")


def _checkout_row(caller: Caller, price: PlanPrice, checkout_id: UUID) -> Checkout:
    # A request repeated under one Idempotency-Key gets the first row, and so the first page.
    made = {"user_id": caller.user_id, "price": price}
    return Checkout.objects.get_or_create(pk=checkout_id, account_id=caller.account_id, defaults=made)[0]


def _close_other_pages(checkout: Checkout) -> None:
    """Closes earlier pages for subscriptions: an account that pays on two would be billed twice."""
    others = Checkout.objects.filter(account=checkout.account_id, status=CheckoutStatus.OPEN)
    close_open_checkouts(others.filter(price__plan__kind=PlanKind.SUBSCRIPTION).exclude(pk=checkout.pk))
    _refuse_second_subscription(checkout.account_id)


def close_open_checkouts(pages: QuerySet[Checkout]) -> None:
    """Closes the pages at Stripe and records what has been paid by now. Raises BillingError."""
    for session_id in pages.values_list("stripe_session_id", flat=True):
        try:
            commands.expire_checkout_session(str(session_id))
        except BillingError as error:
            if error.retryable:
                raise
        # The page was closed or paid before.
        handlers.sync_object(SyncKind.SESSION, str(session_id))


def _refuse_second_subscription(account_id: UUID) -> None:
    live = subscriptions.live_subscription_of(account_id)
    if live is not None and not _has_ended(live):
        raise Conflict("This account has a subscription. Change its plan in the portal (POST billing/portal).")


def _has_ended(live: Subscription) -> bool:
    """Reads the subscription from Stripe, as the row may be of another mode. Without an answer the row counts."""
    try:
        handlers.sync_object(SyncKind.SUBSCRIPTION, live.pk)
    except BillingError as error:
        logger.warning("subscription_not_read", subscription=live.pk, error=str(error))
    return subscriptions.live_subscription_of(live.account_id) is None


def _create_page(checkout: Checkout, plan: Plan, for_sale: PlanPrice, request: CheckoutRequest) -> commands.PayPage:
    customer_id = customers.ensure_customer(checkout.account_id)
    price: PlanPrice | None
    try:
        return _create_session(customer_id, checkout, plan, request)
    except BillingError as error:
        if error.code == "not_found":
            # After a change of Stripe's mode, customer and price are unknown there.
            is_gone = customers.release_customer_if_gone(customer_id)
            price = stripe_prices.replace_if_gone(checkout.price)
        elif error.code == "invalid_request":
            # An earlier try of this request took a price that is no longer for sale: then it opened no page either.
            is_gone, price = False, for_sale if for_sale != checkout.price else None
        else:
            raise
        if not is_gone and price is None:
            raise
    if price is not None:
        checkout.price = price
        checkout.save(update_fields=["price"])
    return _create_session(customers.ensure_customer(checkout.account_id), checkout, plan, request)


def _create_session(customer_id: str, checkout: Checkout, plan: Plan, request: CheckoutRequest) -> commands.PayPage:
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
    return 0 if Subscription.objects.filter(account=account_id).exists() else plan.trial_days


def checkout_status(account_id: UUID, session_id: str) -> dict[str, Any]:
    """Requests a sync while the purchase is open, as its webhook may be late. Raises NotFound."""
    mine = Checkout.objects.filter(account=account_id, stripe_session_id=session_id).select_related("price")
    checkout = mine.first()
    if checkout is None:
        raise NotFound
    if checkout.status == CheckoutStatus.OPEN and cache.is_first_in(
        f"billing.session_read:{session_id}", MIN_SECONDS_BETWEEN_READS
    ):
        sync_queue.request_sync(SyncKind.SESSION, session_id)
    return {
        "session_id": session_id,
        "status": checkout.status,
        "plan_id": checkout.price.plan_id,
        "created_at": checkout.created_at,
        "expires_at": checkout.expires_at,
    }


def start_portal(caller: Caller, *, visit_id: UUID) -> dict[str, Any]:
    """Returns `{portal_url}`; the same one for the same `visit_id`.

    Raises PermissionDenied, ProviderUnavailable, Conflict for one without purchases.
    """
    if caller.is_test:
        raise PermissionDenied("A test key cannot manage payments.")
    customer_id = customers.customer_of(caller.account_id)
    try:
        if not customer_id or customers.release_customer_if_gone(customer_id):
            raise Conflict("This account has bought nothing yet; POST billing/checkout first.")
        url = _portal_url(customer_id, visit_id)
    except BillingError as error:
        raise translate_error(error) from error
    return {"portal_url": url}


def _portal_url(customer_id: str, visit_id: UUID) -> str:
    try:
        return _create_portal_session(customer_id, visit_id)
    except BillingError as error:
        if error.code != "not_found" or not _portal_configuration():
            raise
    # The configuration is of another Stripe mode: push plans and portal again.
    stripe_prices.push_plans()
    Shop.objects.update(portal_configuration_id=stripe_prices.push_portal())
    return _create_portal_session(customer_id, visit_id)


def _create_portal_session(customer_id: str, visit_id: UUID) -> str:
    configuration_id = _portal_configuration()
    return commands.create_portal_session(
        customer_id,
        f"{settings.PUBLIC_URL}/?billing",
        configuration_id=configuration_id,
        # Stripe refuses a key that comes with other parameters.
        key=f"portal:{visit_id}:{customer_id}:{configuration_id}",
    )


def _portal_configuration() -> str:
    # Without one, Stripe uses its default.
    return Shop.objects.values_list("portal_configuration_id", flat=True).first() or ""


def translate_error(error: BillingError) -> ProviderUnavailable:
    """The client's error, without Stripe's message, which is only logged."""
    logger.warning("stripe_refused", error=str(error), retryable=error.retryable)
    if error.code == "not_configured":
        unset = ProviderUnavailable("Payments are not set up on this site.")
        unset.retryable = False
        return unset
    again = ProviderUnavailable("The payment provider does not answer at present.", retry_after=5)
    again.retryable = error.retryable
    return again

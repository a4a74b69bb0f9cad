"""Pushes our plans to Stripe as products and prices. Changed terms make a new price; subscribers keep theirs."""

from collections import defaultdict

from django.db import transaction

from billing.enums import PlanKind
from billing.models import Plan, PlanPrice
from billing.stripe import shop_setup
from billing.stripe.stripe_errors import BillingError


def push_plan(plan: Plan) -> PlanPrice:
    """Safe to repeat and to run in parallel. Raises BillingError."""
    product_id = _product(plan)
    # Counted before the current price is read, so that a parallel push is seen in one of the two.
    known = plan.prices.count()
    current = plan.prices.filter(is_current=True).first()
    if current is not None and current.terms == plan.terms:
        return current
    price = _new_price(plan, product_id, known)
    if current is not None and current.pk != price.pk:
        shop_setup.retire_price(current.stripe_price_id)
    return price


def _product(plan: Plan) -> str:
    """Creates a product for a new plan, and where Stripe does not know ours (another mode's key)."""
    known = plan.stripe_product_id
    try:
        if known:
            shop_setup.update_product(known, name=plan.name, is_active=plan.is_active)
            return known
    except BillingError as error:
        if error.code != "not_found":
            raise
        plan.prices.update(is_current=False)
    made = shop_setup.create_product(plan_id=str(plan.pk), name=plan.name, key=f"product:{plan.pk}:{known}")
    Plan.objects.filter(pk=plan.pk, stripe_product_id=known).update(stripe_product_id=made)
    plan.refresh_from_db(fields=["stripe_product_id"])
    return plan.stripe_product_id


def _new_price(plan: Plan, product_id: str, known: int) -> PlanPrice:
    # The count tells terms that return later from a repeated push of one change.
    values = (known, *plan.terms)
    made = shop_setup.create_price(
        product_id=product_id,
        amount=plan.amount,
        currency=plan.currency,
        interval=plan.interval,
        metadata={"plan_id": str(plan.pk), "credits": str(plan.credits)},
        key=f"price:{plan.pk}:{':'.join(map(str, values))}",
    )
    with transaction.atomic():
        # The lock keeps exactly one current price.
        Plan.objects.select_for_update().get(pk=plan.pk)
        plan.prices.exclude(stripe_price_id=made).update(is_current=False)
        price, _ = PlanPrice.objects.update_or_create(
            stripe_price_id=made,
            defaults={"is_current": True},
            create_defaults={
                "plan": plan,
                "amount": plan.amount,
                "currency": plan.currency,
                "interval": plan.interval,
                "credits": plan.credits,
                "is_current": True,
            },
        )
    return price


def price_for_sale(plan: Plan) -> PlanPrice:
    """Calls Stripe only for a plan that is new or changed. Raises BillingError."""
    current = plan.prices.filter(is_current=True).first()
    return current if current is not None and current.terms == plan.terms else push_plan(plan)


def replace_if_gone(price: PlanPrice) -> PlanPrice | None:
    """A new price where Stripe does not know this one (another mode or account). Raises BillingError."""
    if shop_setup.has_price(price.stripe_price_id):
        return None
    PlanPrice.objects.filter(pk=price.pk).update(is_current=False)
    return push_plan(price.plan)


def push_plans() -> int:
    plans = list(Plan.objects.all())
    for plan in plans:
        push_plan(plan)
    return len(plans)


def push_portal() -> str:
    """Offers the active subscriptions in the customer portal. Returns the configuration's id."""
    products: dict[str, list[str]] = defaultdict(list)
    for_sale = PlanPrice.objects.filter(
        is_current=True, plan__is_active=True, plan__kind=PlanKind.SUBSCRIPTION
    ).select_related("plan")
    for price in for_sale.order_by("plan__position"):
        products[price.plan.stripe_product_id].append(price.stripe_price_id)
    return shop_setup.ensure_portal(products)

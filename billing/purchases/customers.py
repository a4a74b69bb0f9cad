"""An account's customers at Stripe, present and former."""

from hashlib import sha256
from uuid import UUID

import structlog
from django.db import transaction

from accounts.models import Account
from accounts.teams.owner_emails import owner_emails
from billing.models import Customer, FormerCustomer
from billing.stripe import commands
from billing.stripe.stripe_errors import BillingError

logger = structlog.get_logger(__name__)


def ensure_customer(account_id: UUID) -> str:
    """Creates the customer at Stripe on first use. Raises BillingError."""
    known = customer_of(account_id)
    if known:
        return known
    name = Account.objects.values_list("name", flat=True).get(pk=account_id)
    email = next(iter(owner_emails(account_id)), "")
    before = FormerCustomer.objects.filter(account=account_id).count()
    # Stripe refuses a key that is repeated with other values, and would return a deleted customer for a repeated one.
    values = f"{email}:{name}:{before}"
    key = f"customer:{account_id}:{sha256(values.encode()).hexdigest()[:16]}"
    made = commands.create_customer(account_id=str(account_id), email=email, name=name, key=key)
    # Two callers at once may create two customers: one row wins, the other customer is never used.
    customer, _ = Customer.objects.get_or_create(account_id=account_id, defaults={"stripe_customer_id": made})
    return customer.stripe_customer_id


def customer_of(account_id: UUID) -> str:
    """Empty for an account without a customer."""
    return Customer.objects.filter(pk=account_id).values_list("stripe_customer_id", flat=True).first() or ""


def account_of(customer_id: str) -> UUID:
    """The account whose customer this is or was. Raises BillingError `unknown_customer`."""
    for model in (Customer, FormerCustomer):
        found = model._default_manager.filter(stripe_customer_id=customer_id)
        if account_id := found.values_list("account_id", flat=True).first():
            return UUID(str(account_id))
    raise BillingError("unknown_customer", customer_id, retryable=False)


def is_ours(customer_id: str, *, is_marked: bool = False) -> bool:
    """False for a customer of another business on the Stripe account: without our metadata.

    Adopts a customer whose row is missing (restored backup) by the account id in its metadata. `is_marked`: the object
    bought has our metadata. Raises BillingError `unknown_customer` where there is no such account. Calls Stripe: must
    not run in a transaction.
    """
    if customer_id and _is_known(customer_id):
        return True
    named = commands.account_id_in_metadata(customer_id) if customer_id else ""
    if not named and not is_marked:
        logger.info("foreign_customer_ignored", customer=customer_id)
        return False
    if not named or not _adopt_customer(customer_id, named):
        raise BillingError("unknown_customer", customer_id, retryable=False)
    return True


def _is_known(customer_id: str) -> bool:
    try:
        account_of(customer_id)
    except BillingError:
        return False
    return True


@transaction.atomic
def _adopt_customer(customer_id: str, named: str) -> bool:
    """False without such an account. Where the account has another customer, this one becomes a former one."""
    try:
        account = Account.objects.filter(pk=UUID(named)).first()
    except ValueError:
        return False
    if account is None:
        return False
    logger.warning("customer_adopted", account_id=named, customer=customer_id)
    customer, _ = Customer.objects.get_or_create(account=account, defaults={"stripe_customer_id": customer_id})
    if customer.stripe_customer_id != customer_id:
        FormerCustomer.objects.get_or_create(stripe_customer_id=customer_id, defaults={"account": account})
    return True


def release_customer_if_gone(customer_id: str) -> bool:
    """True when Stripe does not know the customer: deleted, or of another mode. Raises BillingError."""
    if commands.customer_exists(customer_id):
        return False
    release_customer(customer_id)
    return True


@transaction.atomic
def release_customer(customer_id: str, *, is_erased: bool = False) -> None:
    customer = Customer.objects.filter(stripe_customer_id=customer_id).first()
    if customer is None:
        return
    logger.warning("customer_gone", account_id=str(customer.account_id), customer=customer_id)
    account_id = customer.account_id
    customer.delete()
    FormerCustomer.objects.create(stripe_customer_id=customer_id, account_id=account_id, is_erased=is_erased)

"""Who an account is at Stripe."""

from hashlib import sha256
from uuid import UUID

from accounts.contacts import owners_of
from accounts.models import Account
from billing.gateway import buying
from billing.models import Customer


def ensure(account_id: UUID) -> str:
    """The account's customer id, made at Stripe by whoever needs it first. Raises BillingError.

    Two at once may make two customers: one row wins, and the other customer is never used.
    """
    known = Customer.objects.filter(pk=account_id).values_list("stripe_customer_id", flat=True).first()
    if known is not None:
        return known
    name = Account.objects.values_list("name", flat=True).get(pk=account_id)
    email = next(iter(owners_of(account_id)), "")
    # Stripe refuses a key that comes again with other words; after a change of name it is another action.
    key = f"customer:{account_id}:{sha256(f'{email}:{name}'.encode()).hexdigest()[:16]}"
    made = buying.create_customer(account_id=str(account_id), email=email, name=name, key=key)
    customer, _ = Customer.objects.get_or_create(account_id=account_id, defaults={"stripe_customer_id": made})
    return customer.stripe_customer_id

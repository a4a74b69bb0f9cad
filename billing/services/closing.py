"""The end of an account at Stripe: its subscription, its cards and its name there."""

from uuid import UUID

import structlog
from django.db import transaction

from billing.gateway import buying, inbox
from billing.gateway.errors import BillingError
from billing.models import Checkout, Customer, Invoice, Letter, Payment, TopUpRule

logger = structlog.get_logger(__name__)


def close(account_id: UUID) -> str:
    """What is still left to do, in words; "" once nothing is. Safe to repeat. The ledger and the sums stay."""
    TopUpRule.objects.filter(pk=account_id).delete()
    customer = Customer.objects.filter(pk=account_id).first()
    if customer is not None:
        try:
            buying.cancel_subscriptions(customer.stripe_customer_id)
            buying.delete_customer(customer.stripe_customer_id)
            inbox.forget_customer(customer.stripe_customer_id)
        except BillingError as error:
            if error.code != "not_found":
                logger.warning("customer_not_deleted", account_id=str(account_id), error=str(error))
                return f"Stripe has not deleted the customer yet ({error.code})"
    _forget_words(account_id)
    return ""


@transaction.atomic
def _forget_words(account_id: UUID) -> None:
    """Receipts and invoices at Stripe show a name and an address; letters tell what somebody did."""
    Payment.objects.filter(account=account_id).update(receipt_url="")
    Invoice.objects.filter(account=account_id).update(hosted_url="", pdf_url="")
    Checkout.objects.filter(account=account_id).update(user=None)
    Letter.objects.filter(account=account_id).delete()

"""Ends an erased account's subscriptions, cards and customer at Stripe. The ledger stays."""

from uuid import UUID

import structlog
from django.db import transaction

from billing.checkout import checkouts
from billing.enums import CheckoutStatus
from billing.models import Checkout, FormerCustomer, Invoice, Letter, Payment
from billing.purchases import auto_top_up, customers
from billing.stripe import commands, webhook_endpoint
from billing.stripe.stripe_errors import BillingError

logger = structlog.get_logger(__name__)


def close_at_stripe(account_id: UUID) -> str:
    """Safe to repeat. Returns what is still left to do as text, "" when done."""
    auto_top_up.stop_rule(account_id)
    customer_id = customers.customer_of(account_id)
    if customer_id:
        try:
            checkouts.close_open_checkouts(Checkout.objects.filter(account=account_id, status=CheckoutStatus.OPEN))
            commands.cancel_subscriptions(customer_id)
            commands.delete_customer(customer_id)
        except BillingError as error:
            logger.warning("customer_not_deleted", account_id=str(account_id), error=str(error))
            return f"Stripe has not deleted the customer yet ({error.code})"
        customers.release_customer(customer_id, is_erased=True)
    _delete_personal_data(account_id)
    return ""


@transaction.atomic
def _delete_personal_data(account_id: UUID) -> None:
    # Stripe's pages of receipts and invoices show names and addresses.
    former = FormerCustomer.objects.filter(account=account_id)
    former.update(is_erased=True)
    for customer_id in former.values_list("pk", flat=True):
        webhook_endpoint.delete_customer_mirror(customer_id)
    Payment.objects.filter(account=account_id).update(receipt_url="")
    Invoice.objects.filter(account=account_id).update(hosted_url="", pdf_url="")
    Checkout.objects.filter(account=account_id).update(user=None)
    Letter.objects.filter(account=account_id).delete()

"""Composers of the mails about money to the owners of an account. `genvid.mail` calls them."""

from functools import partial

from accounts.teams.owner_emails import owner_recipients
from billing import money
from billing.enums import MailKind
from billing.models import Payment
from genvid.mail.composing import Message, Order, composes


def _compose(order: Order, *, for_notice: bool) -> Message | None:
    """None once the payment that the mail is about is gone."""
    context = dict(order.data)
    if "payment_id" in context:
        payment = Payment.objects.filter(pk=context["payment_id"]).first()
        if payment is None:
            return None
        context = {"amount": payment.amount, "currency": payment.currency, **context, "payment": payment}
    if "amount" in context:
        context["amount"] = money.money_text(context["amount"], context["currency"])
    return Message(owner_recipients(order.account, for_notice=for_notice), context) if order.account else None


for _kind in set(MailKind) - {MailKind.STAFF_ALARM}:
    composes(f"billing.{_kind}")(partial(_compose, for_notice=_kind == MailKind.CREDITS_LOW))

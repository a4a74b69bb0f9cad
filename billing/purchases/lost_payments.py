"""Cancels, pauses or keeps a subscription after a dispute of its payment (`SUBSCRIPTION_AFTER_LOST_PAYMENT`)."""

from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from billing import mails
from billing.enums import LIVE, WITHDRAWN, AfterLoss, DisputeStatus, SubscriptionStatus
from billing.models import Dispute, Funding, Subscription
from billing.stripe import commands

logger = structlog.get_logger(__name__)
STOPPED = (AfterLoss.CANCELED, AfterLoss.PAUSED)
TEXTS = {
    AfterLoss.CANCELED: "was canceled",
    AfterLoss.PAUSED: "was paused; it goes on when somebody resumes it at Stripe",
    AfterLoss.KEPT: "goes on",
}


def apply_policy(payment_id: UUID) -> str:
    """Applies the setting once per dispute that withdrew money, and alarms staff. Must not run in a transaction.

    Returns the id of the subscription that was stopped, or "". Raises BillingError.
    """
    disputes = Dispute.objects.filter(payment=payment_id)
    stopped = ""
    for dispute in disputes.filter(status__in=WITHDRAWN, after_loss=None):
        stopped = _decide(dispute) or stopped
    for dispute in disputes.filter(status=DisputeStatus.WON, after_loss__in=STOPPED):
        _alarm_won_dispute(dispute)
    return stopped


def _decide(dispute: Dispute) -> str:
    subscription = _subscription_of(dispute)
    if subscription is None:
        Dispute.objects.filter(pk=dispute.pk, after_loss=None).update(after_loss=AfterLoss.NONE)
        return ""
    outcome = OUTCOMES[settings.SUBSCRIPTION_AFTER_LOST_PAYMENT]
    subscription_id = str(subscription.pk)
    if outcome == AfterLoss.CANCELED:
        commands.cancel_subscription(subscription_id)
    elif outcome == AfterLoss.PAUSED:
        commands.pause_subscription(subscription_id, key=f"pause:{dispute.pk}")
    with transaction.atomic():
        Dispute.objects.filter(pk=dispute.pk, after_loss=None).update(after_loss=outcome)
        text = f"Subscription {subscription_id} of account {subscription.account_id} {TEXTS[outcome]}."
        why = "The bank took a payment of it back"
        mails.alarm_staff(f"after-loss:{dispute.pk}", f"{why} (dispute {dispute.pk}). {text}")
    return subscription_id if outcome in STOPPED else ""


OUTCOMES = {"cancel": AfterLoss.CANCELED, "pause": AfterLoss.PAUSED, "keep": AfterLoss.KEPT}


def _subscription_of(dispute: Dispute) -> Subscription | None:
    funding = Funding.objects.filter(payment=dispute.payment_id).first()
    if funding is None:
        return None
    running = Subscription.objects.filter(pk=funding.stripe_subscription_id, status__in=LIVE)
    return running.exclude(status=SubscriptionStatus.PAUSED).first()


def _alarm_won_dispute(dispute: Dispute) -> None:
    payment = dispute.payment
    outcome = TEXTS[AfterLoss(dispute.after_loss or AfterLoss.NONE)]
    text = f"Dispute {dispute.pk} of account {payment.account_id} is won: money and credits are returned."
    text += f" The subscription {outcome}: check what the payment was for."
    mails.alarm_staff(f"won-after-loss:{dispute.pk}", text)

"""What is kept for a while, and then no longer."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Delivery, OutgoingEvent, WebhookEndpoint

KEEP_EVENTS = timedelta(days=30)
AT_A_TIME = 500


def forget_webhooks() -> None:
    """Events after `KEEP_EVENTS`, with all that was tried to deliver them; then removed endpoints too."""
    old = OutgoingEvent.objects.filter(created_at__lt=timezone.now() - KEEP_EVENTS).order_by("created_at")
    # Piece by piece: whoever deletes a million rows at once holds their locks for minutes.
    while ids := list(old.values_list("pk", flat=True)[:AT_A_TIME]):
        with transaction.atomic():
            OutgoingEvent.objects.filter(pk__in=ids).delete()
    gone = WebhookEndpoint.objects.filter(deleted_at__lt=timezone.now() - KEEP_EVENTS)
    gone.exclude(pk__in=Delivery.objects.values("endpoint")).delete()

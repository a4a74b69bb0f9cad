"""Shapes of webhook endpoints and deliveries."""

from typing import Any

from rest_framework import serializers

from accounts.enums import EVERYTHING, DeliveryStatus, EventType, SwitchedOff
from accounts.models import Delivery, WebhookEndpoint
from accounts.services import webhooks
from genvid.api.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictListField,
    StrictSerializer,
)

EVENTS = [*EventType.values, EVERYTHING]


class EventsField(StrictListField):
    def __init__(self, **options: Any) -> None:
        options |= {"child": StrictChoiceField(choices=EVENTS), "allow_empty": False, "most": len(EVENTS)}
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[str]:
        events: list[str] = super().to_internal_value(data)
        if EVERYTHING in events and len(set(events)) > 1:
            raise serializers.ValidationError('"*" means every event: name no others beside it.')
        return events


class EndpointInput(StrictSerializer):
    url = StrictCharField(max_length=2048, help_text="https, on the public internet, without user name or fragment.")
    events = EventsField(help_text='Event types, or ["*"] for all, future ones too.')
    description = StrictCharField(max_length=255, required=False, allow_blank=True)
    enabled = StrictBooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Looks the host up in the DNS, once every field is right. Raises ValidationFailed."""
        if "url" in attrs:
            webhooks.check_url(attrs["url"])
        return attrs


class EndpointChange(EndpointInput):
    url = StrictCharField(max_length=2048, required=False)
    events = EventsField(required=False)


class EndpointOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS))
    description = serializers.CharField()
    enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(
        choices=SwitchedOff.choices, allow_null=True, help_text="Why we switched it off; null when we did not."
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Nothing arrived since; null when all is well."
    )
    old_secret_valid_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before the last rotation signs too."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewEndpointOutput(EndpointOutput):
    secret = serializers.CharField(help_text="Signs every delivery. Shown this once.")


class AttemptOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    status_code = serializers.IntegerField(allow_null=True, help_text="Null when no answer came.")
    response_excerpt = serializers.CharField(help_text="The first 1,024 bytes of the answer's body.")
    error = serializers.CharField(help_text="Empty when an answer came.")


class DeliveryOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    endpoint_id = serializers.UUIDField()
    event_id = serializers.CharField(help_text="The `webhook-id` that each attempt sends.")
    event_type = serializers.ChoiceField(choices=EventType.choices)
    object_id = serializers.CharField(help_text="What the event is about: a video, a batch, an account.")
    sequence = serializers.IntegerField(help_text="The place among the events of that object, from 1.")
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    next_attempt_at = serializers.DateTimeField(allow_null=True, help_text="Null once delivered or given up.")
    attempts = AttemptOutput(many=True)
    created_at = serializers.DateTimeField()


PLAIN = ("id", "url", "events", "description", "enabled", "disabled_at", "failing_since", "created_at", "updated_at")


def endpoint_data(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        **{name: getattr(endpoint, name) for name in PLAIN},
        "disabled_reason": endpoint.disabled_reason or None,
        "old_secret_valid_until": endpoint.old_secret_until,
    }


def new_endpoint_data(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return endpoint_data(endpoint) | {"secret": endpoint.secret}


def delivery_data(delivery: Delivery) -> dict[str, Any]:
    """Of a delivery whose event and attempts were fetched with it."""
    event, is_waiting = delivery.event, delivery.status == DeliveryStatus.PENDING
    return {
        "id": delivery.pk,
        "endpoint_id": delivery.endpoint_id,
        "event_id": event.pk,
        "event_type": event.type,
        "object_id": event.object_id,
        "sequence": event.sequence,
        "status": delivery.status,
        "next_attempt_at": delivery.next_attempt_at if is_waiting else None,
        "attempts": AttemptOutput(delivery.attempts.all(), many=True).data,
        "created_at": delivery.created_at,
    }

"""Serializers of webhook endpoints and deliveries."""

from typing import Any

from rest_framework import serializers

from accounts.enums import ALL_EVENTS, DeliveryStatus, EventType, SwitchedOff
from accounts.models import Delivery, WebhookEndpoint
from accounts.webhooks import webhook_endpoints
from genvid.api import serializers as api

URL, DESCRIPTION = "https://hooks.example.com/genvid", "Our shop"
EVENTS = [*EventType.values, ALL_EVENTS]


class EventsField(api.StrictListField):
    example = ("video.completed", "video.failed")

    def __init__(self, **options: Any) -> None:
        options |= {"child": api.StrictChoiceField(choices=EVENTS), "allow_empty": False, "most": len(EVENTS)}
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[str]:
        events: list[str] = super().to_internal_value(data)
        if ALL_EVENTS in events and len(set(events)) > 1:
            raise serializers.ValidationError('"*" means every event: name no others beside it.')
        return events


class EndpointInput(api.StrictSerializer):
    url = api.StrictCharField(
        max_length=2048, help_text="https, on the public internet, without user name or fragment.", example=URL
    )
    events = EventsField(help_text='Event types, or ["*"] for all, future ones too.')
    description = api.StrictCharField(max_length=255, required=False, allow_blank=True, example=DESCRIPTION)
    enabled = api.StrictBooleanField(required=False, example=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "url" in attrs:
            webhook_endpoints.check_url(attrs["url"])
        return attrs


class EndpointChange(EndpointInput):
    url = api.StrictCharField(max_length=2048, required=False, example=URL)
    events = EventsField(required=False)


class EndpointOutput(api.OutputSerializer):
    id = api.IdField("webhook endpoint")
    url = api.TextField(example=URL)
    events = api.TextListField(child=api.EnumField(EVENTS), example=EventsField.example)
    description = api.TextField(example=DESCRIPTION)
    enabled = api.FlagField()
    disabled_reason = api.EnumField(
        SwitchedOff.choices, allow_null=True, help_text="Why we switched it off; null when we did not."
    )
    disabled_at = api.TimestampField(allow_null=True)
    failing_since = api.TimestampField(allow_null=True, help_text="Nothing arrived since; null when all is well.")
    old_secret_valid_until = api.TimestampField(
        allow_null=True, help_text="Until then the secret before the last rotation signs too."
    )
    created_at = api.TimestampField()
    updated_at = api.TimestampField()


class NewEndpointOutput(EndpointOutput):
    secret = api.TextField(
        help_text="Signs every delivery. Shown this once.", example="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    )


class AttemptOutput(api.OutputSerializer):
    number = api.NumberField()
    started_at = api.TimestampField()
    duration_ms = api.NumberField(example=84)
    status_code = api.NumberField(allow_null=True, help_text="Null when no answer came.", example=200)
    response_excerpt = api.TextField(help_text="The first 1,024 bytes of the answer's body.", example="ok")
    error = api.TextField(help_text="Empty when an answer came.", example="")


class DeliveryOutput(api.OutputSerializer):
    id = api.IdField()
    endpoint_id = api.IdField("webhook endpoint")
    event_id = api.TextField(help_text="The `webhook-id` that each attempt sends.", example="evt_0f6c2b1e8d7a4c3f")
    event_type = api.EnumField(EventType.choices, example="video.completed")
    object_id = api.TextField(
        help_text="What the event is about: a video, a batch, an account.", example=str(api.example_id("video"))
    )
    sequence = api.NumberField(help_text="The place among the events of that object, from 1.", example=3)
    status = api.EnumField(DeliveryStatus.choices, example="delivered")
    next_attempt_at = api.TimestampField(allow_null=True, help_text="Null once delivered or given up.")
    attempts = AttemptOutput(many=True)
    created_at = api.TimestampField()


def endpoint_data(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return EndpointOutput.of(
        endpoint, disabled_reason=endpoint.disabled_reason or None, old_secret_valid_until=endpoint.old_secret_until
    )


def new_endpoint_data(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return endpoint_data(endpoint) | {"secret": endpoint.secret}


def delivery_data(delivery: Delivery) -> dict[str, Any]:
    event, is_waiting = delivery.event, delivery.status == DeliveryStatus.PENDING
    return DeliveryOutput.of(
        delivery,
        event_id=event.pk,
        event_type=event.type,
        object_id=event.object_id,
        sequence=event.sequence,
        next_attempt_at=delivery.next_attempt_at if is_waiting else None,
        attempts=[AttemptOutput.of(attempt) for attempt in delivery.attempts.all()],
    )

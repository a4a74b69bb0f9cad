"""The events of outgoing webhooks, as OpenAPI 3.1 describes them."""

from typing import Any

from genvid.api.schema.examples import Examples
from genvid.api.serializers import EXAMPLE_TIME

MADE = {"error": None, "consent": {"status": "given", "url": None}, "credits": {"held": 0, "charged": 20}}
NOT_MADE = {
    "owner": "me",
    "status": "failed",
    "error": {"code": "footage_refused", "message": "The picture or recording cannot be used."},
    "consent": {"status": "given", "url": None},
    "credits": {"held": 0, "charged": 0},
}
EVENTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "video.queued": ("Video", "A video was queued.", {"status": "queued"}),
    "video.processing": ("Video", "A video is being made.", {"status": "processing", "progress_percent": 10}),
    "video.completed": ("Video", "A video is done; its files can be fetched.", {}),
    "video.failed": ("Video", "A video could not be made. It cost nothing.", {"status": "failed"}),
    "video.canceled": ("Video", "A video was canceled. It cost nothing.", {"status": "canceled"}),
    "video.expiring": ("Video", "A video's files go soon.", {}),
    "batch.completed": ("Batch", "Every video of a batch has ended.", {}),
    "avatar.ready": ("Avatar", "An own avatar is ready to be used.", {"owner": "me", **MADE}),
    "avatar.failed": ("Avatar", "An own avatar could not be made, or was refused. It cost nothing.", NOT_MADE),
    "voice.ready": ("Voice", "An own voice is ready to be used.", {"owner": "me", **MADE}),
    "voice.failed": ("Voice", "An own voice could not be made, or was refused. It cost nothing.", NOT_MADE),
    "credits.low": ("Wallet", "The wallet is nearly empty.", {}),
    "payment.succeeded": ("Payment", "A payment went through; its credits are there.", {}),
    "payment.refunded": (
        "Payment",
        "Some or all of a payment went back, or a dispute over it was opened or decided.",
        {"status": "refunded", "amount_refunded": 1200, "credits_taken_back": 100},
    ),
    "ping": ("WebhookEndpoint", "You asked for it: `POST webhook-endpoints/{id}/test`.", {}),
}
"""Event type: the schema of its `data`, a description, and the values of its example that differ."""
HEADERS = {
    "webhook-id": ("The event's id, the same at each attempt: remember it, and ignore what you have seen.", "evt_1"),
    "webhook-timestamp": ("When this attempt was signed, in seconds since 1970.", "1777636800"),
    "webhook-signature": (
        "One `v1,…` for each secret in force: HMAC-SHA256 of `id.timestamp.body`, as Standard Webhooks says.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
    "webhook-sequence": ("The place among the events of the same object, from 1. Not signed.", "3"),
}
ANSWERS = {
    "2XX": {"description": "Answer so within 10 seconds, and work on it afterwards."},
    "410": {"description": "Switches the endpoint off."},
    "default": {"description": "Tried again over three days, redirects included: they are not followed."},
}


def webhooks(examples: Examples) -> dict[str, Any]:
    return {name: {"post": _event(name, examples)} for name in EVENTS}


def _event(name: str, examples: Examples) -> dict[str, Any]:
    schema, happened, changes = EVENTS[name]
    data = {"$ref": f"#/components/schemas/{schema}"}
    told = examples.of(data) | changes
    example = {"id": "evt_1", "type": name, "created_at": EXAMPLE_TIME, "data": told}
    return {
        "operationId": f"on_{name.replace('.', '_')}",
        "summary": happened,
        "tags": ["Webhooks"],
        "security": [],
        "parameters": [_parameter(name, *words) for name, words in HEADERS.items()],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _body(name, data), "example": example}},
        },
        "responses": ANSWERS,
    }


def _parameter(name: str, description: str, example: str) -> dict[str, Any]:
    header = {"name": name, "in": "header", "required": True, "description": description}
    return header | {"schema": {"type": "string"}, "example": example}


def _body(name: str, data: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "id": {"type": "string"},
        "type": {"const": name},
        "created_at": {"type": "string", "format": "date-time"},
        "data": data,
    }
    return {"type": "object", "required": list(fields), "properties": fields}

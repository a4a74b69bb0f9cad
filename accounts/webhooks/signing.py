"""Signs outgoing webhooks by the Standard Webhooks specification, with its reference library."""

import base64
from collections.abc import Iterable
from datetime import datetime
from secrets import token_bytes

from standardwebhooks import Webhook

SECRET_BYTES = 32
PREFIX = "whsec_"


def new_secret() -> str:
    return PREFIX + base64.b64encode(token_bytes(SECRET_BYTES)).decode()


def signature_headers(message_id: str, body: str, signing: Iterable[str], now: datetime) -> dict[str, str]:
    """One signature per secret. `now` must be in UTC: the library ignores the time zone."""
    signatures = [Webhook(secret).sign(message_id, now, body) for secret in signing]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }

"""Translates Stripe's errors to BillingError: our code, and whether a retry can help."""

import stripe
import structlog

logger = structlog.get_logger(__name__)


class BillingError(Exception):
    def __init__(
        self, code: str, message: str = "", *, retryable: bool, decline_code: str = "", payment_intent_id: str = ""
    ) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.retryable = retryable
        self.decline_code = decline_code
        self.payment_intent_id = payment_intent_id

    @property
    def is_undecided(self) -> bool:
        """Whether a write may have been made all the same, now or under its key before."""
        return self.retryable or self.code == "key_reused"


KINDS: list[tuple[type[stripe.StripeError], str, bool]] = [
    (stripe.APIConnectionError, "unreachable", True),
    (stripe.RateLimitError, "rate_limited", True),
    # Retried until the operator replaces the key, so nothing is lost.
    (stripe.AuthenticationError, "bad_key", True),
    (stripe.PermissionError, "not_permitted", True),
    (stripe.IdempotencyError, "key_reused", False),
    (stripe.CardError, "card_declined", False),
    (stripe.InvalidRequestError, "invalid_request", False),
    (stripe.APIError, "provider_error", True),
]
"""Our code, and whether a retry can help. CODES takes precedence."""
CODES: dict[str, tuple[str, bool]] = {
    "resource_missing": ("not_found", False),
    "idempotency_key_in_use": ("in_progress", True),
    "lock_timeout": ("in_progress", True),
    "authentication_required": ("authentication_required", False),
    "expired_card": ("card_declined", False),
    "insufficient_funds": ("card_declined", False),
    "charge_already_refunded": ("already_refunded", False),
}
"""By Stripe's error code (https://docs.stripe.com/error-codes)."""


def translate(error: stripe.StripeError) -> BillingError:
    code, retryable = CODES.get(error.code or "") or _by_kind(error)
    details = error.error
    intent = getattr(details, "payment_intent", None)
    return BillingError(
        code,
        str(error.user_message or error),
        retryable=retryable,
        decline_code=str(getattr(details, "decline_code", None) or ""),
        payment_intent_id=str(getattr(intent, "id", None) or ""),
    )


def _by_kind(error: stripe.StripeError) -> tuple[str, bool]:
    for kind, code, retryable in KINDS:
        if isinstance(error, kind):
            # 409: another request holds the object.
            return code, retryable or error.http_status == 409
    logger.error("stripe_error_unknown", error=repr(error), code=error.code, status=error.http_status)
    return "unknown", False

"""Errors of Stripe as BillingError: our code, and whether a retry can help."""

import stripe
import structlog

logger = structlog.get_logger(__name__)


class BillingError(Exception):
    """`payment_intent_id`: the payment that was refused."""

    def __init__(
        self, code: str, message: str = "", *, retryable: bool, decline_code: str = "", payment_intent_id: str = ""
    ) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.retryable = retryable
        self.decline_code = decline_code
        self.payment_intent_id = payment_intent_id


KINDS: list[tuple[type[stripe.StripeError], str, bool]] = [
    (stripe.APIConnectionError, "unreachable", True),
    (stripe.RateLimitError, "rate_limited", True),
    # The operator's own problem: it goes away when they mend the key, and nothing is lost meanwhile.
    (stripe.AuthenticationError, "bad_key", True),
    (stripe.PermissionError, "not_permitted", True),
    (stripe.IdempotencyError, "key_reused", False),
    (stripe.CardError, "card_declined", False),
    (stripe.InvalidRequestError, "invalid_request", False),
    (stripe.APIError, "provider_error", True),
]
"""By the SDK's exception class: our code, and whether a retry can help. CODES takes precedence."""
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


def translated(error: stripe.StripeError) -> BillingError:
    """An error that is in neither table is logged and not retried."""
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
            # A 409 is a request that another one is in the way of; a retry finds it gone.
            return code, retryable or error.http_status == 409
    logger.error("stripe_error_unknown", error=repr(error), code=error.code, status=error.http_status)
    return "unknown", False

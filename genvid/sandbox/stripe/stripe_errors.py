"""Stripe's errors: https://docs.stripe.com/api/errors."""

from typing import Any

from genvid.sandbox.api_errors import ApiError

DOCS = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - Stripe's own word for it
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.code, self.param = message, status, code, param
        self._type, self._retry_after, self._extra = type, retry_after, extra

    @property
    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"type": self._type, "message": self.message}
        if self.code is not None:
            error |= {"code": self.code, "doc_url": DOCS + self.code.replace("_", "-")}
        if self.param is not None:
            error["param"] = self.param
        return {"error": error | {name: value for name, value in self._extra.items() if value is not None}}

    @property
    def headers(self) -> dict[str, str]:
        return {} if self._retry_after is None else {"Retry-After": str(self._retry_after)}


def card_error(message: str, code: str, **extra: Any) -> StripeError:
    return StripeError(message, status=402, type="card_error", code=code, **extra)


def no_such(kind: str, object_id: str, param: str = "id", status: int = 404) -> StripeError:
    return StripeError(
        f"No such {NAMES.get(kind, kind)}: '{object_id}'", status=status, code="resource_missing", param=param
    )


def check_status(obj: dict[str, Any], wanted: str) -> None:
    if obj["status"] != wanted:
        kind = NAMES.get(obj["object"], obj["object"])
        raise StripeError(f"This {kind} has a status of {obj['status']}, not {wanted}.", param="id")


def missing_parameter(param: str) -> StripeError:
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown_parameter(param: str) -> StripeError:
    return StripeError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def unauthorized(message: str) -> StripeError:
    return StripeError(message, status=401)


def translated(error: ApiError) -> StripeError:
    """A fault that was queued for any provider, in Stripe's form."""
    kind = "api_error" if error.status >= 500 else TYPES.get(error.status, "invalid_request_error")
    code = "rate_limit" if error.status == 429 else None
    return StripeError(error.message, status=error.status, type=kind, code=code, retry_after=error.retry_after)


TYPES = {402: "card_error", 409: "idempotency_error"}
NAMES = {
    "checkout.session": "Checkout Session",
    "payment_intent": "PaymentIntent",
    "promotion_code": "promotion code",
    "webhook_endpoint": "webhook endpoint",
    "billing_portal.configuration": "portal configuration",
    "test_helpers.test_clock": "test clock",
    "radar.early_fraud_warning": "early fraud warning",
    "payment_method": "PaymentMethod",
}

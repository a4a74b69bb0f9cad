"""HeyGen's error codes with their statuses and messages, and the exceptions that become answers."""

from typing import Any, NoReturn

DOCS = "https://developers.heygen.com/docs/error-codes#"

KINDS = ("resource", "video", "avatar", "avatar_group", "voice", "asset", "batch", "webhook")
# The codes of each status. The first is what a status without a code stands for.
CODES = {
    400: ["invalid_parameter"],
    401: ["unauthorized", "authentication_failed"],
    402: ["insufficient_credit", "trial_limit_exceeded", "plan_upgrade_required", "subscription_required"],
    403: ["forbidden", "resource_access_denied", "ai_vendor_access_restricted", "voice_not_usable"],
    404: ["not_found", *(f"{kind}_not_found" for kind in KINDS)],
    405: ["method_not_allowed"],
    409: ["conflict", "asset_not_available", "request_in_progress", "resource_not_ready"],
    413: ["payload_too_large"],
    429: ["rate_limit_exceeded", "quota_exceeded"],
    500: ["internal_error", "video_delete_failed"],
    502: ["bad_gateway"],
    503: ["service_unavailable", "voice_provider_error"],
    504: ["gateway_timeout"],
}
STATUSES = {code: status for status, codes in CODES.items() for code in codes}

MESSAGES = {
    "unauthorized": "Unauthorized",
    "insufficient_credit": "Your account has 5 credits but this video requires 10 credits.",
    "rate_limit_exceeded": "Too many requests or concurrent jobs. Please retry later.",
    "request_in_progress": "A request with this Idempotency-Key is still being processed.",
    "not_found": "Not Found",
    "method_not_allowed": "Method Not Allowed",
    "internal_error": "Internal server error",
    "MOVIO_PAYMENT_INSUFFICIENT_CREDIT": (
        "Insufficient credit. This operation requires 'plan_credit' or 'api' credits."
    ),
    "rendering_failed": "Avatar rendering timed out",
    "tier_not_support": "Please upgrade your plan to use this feature.",
    "user_blocked": "Your account has been suspended.",
    "resource_limit_exceeded": "Your plan's limit for this resource is used up.",
    "content_policy_violation": "The content violates our policy.",
}


class ApiError(Exception):
    """An answer in the error envelope. An unknown code is a 400."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        param: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or message_of(code)
        self.param = param
        self.status = status or STATUSES.get(code, 400)
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, Any]:
        error = {"code": self.code, "message": self.message, "doc_url": DOCS + self.code.replace("_", "-")}
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class RawAnswer(Exception):
    """An answer of a gateway instead of the API: HTML, or half a JSON."""

    def __init__(self, status: int, body: str, media_type: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.media_type = media_type


class ConnectionDropped(Exception):
    """Hang up without an answer."""


def usual_code(status: int) -> str:
    return CODES.get(status, CODES[500])[0]


def message_of(code: str) -> str:
    return MESSAGES.get(code, code.replace("_", " ").capitalize() + ".")


def refuse(param: str, message: str) -> NoReturn:
    raise ApiError("invalid_parameter", message, param=param)


def html_answer(status: int = 502) -> RawAnswer:
    page = f"<html><head><title>{status} Bad Gateway</title></head><body><h1>{status}</h1></body></html>"
    return RawAnswer(status, page, "text/html")


def garbage_answer(status: int = 200) -> RawAnswer:
    return RawAnswer(status, '{"data": {"video_id": ', "application/json")

"""What the API refuses, in its own words: a code, a status, a message and the envelope around them."""

from typing import Any, NoReturn

DOCS = "https://developers.heygen.com/docs/error-codes#"

STATUSES = {
    "unauthorized": 401,
    "authentication_failed": 401,
    "forbidden": 403,
    "resource_access_denied": 403,
    "ai_vendor_access_restricted": 403,
    "voice_not_usable": 403,
    "insufficient_credit": 402,
    "trial_limit_exceeded": 402,
    "plan_upgrade_required": 402,
    "subscription_required": 402,
    "quota_exceeded": 429,
    "rate_limit_exceeded": 429,
    "gateway_timeout": 504,
    "avatar_group_not_found": 404,
    "avatar_not_found": 404,
    "asset_not_found": 404,
    "batch_not_found": 404,
    "not_found": 404,
    "resource_not_found": 404,
    "video_not_found": 404,
    "voice_not_found": 404,
    "webhook_not_found": 404,
    "method_not_allowed": 405,
    "asset_not_available": 409,
    "conflict": 409,
    "request_in_progress": 409,
    "resource_not_ready": 409,
    "payload_too_large": 413,
    "internal_error": 500,
    "video_delete_failed": 500,
    "bad_gateway": 502,
    "service_unavailable": 503,
    "voice_provider_error": 503,
}

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

CODES_BY_STATUS = {
    400: "invalid_parameter",
    401: "unauthorized",
    402: "insufficient_credit",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "payload_too_large",
    429: "rate_limit_exceeded",
    500: "internal_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
}


class ApiError(Exception):
    """An answer in the error envelope. A code without a known status is a 400."""

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
    """What a gateway says in the API's place: HTML, or no JSON at all."""

    def __init__(self, status: int, body: str, media_type: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.media_type = media_type


class ConnectionDropped(Exception):
    """Hang up without an answer."""


def message_of(code: str) -> str:
    return MESSAGES.get(code, code.replace("_", " ").capitalize() + ".")


def refuse(param: str, message: str) -> NoReturn:
    raise ApiError("invalid_parameter", message, param=param)


def html_answer(status: int = 502) -> RawAnswer:
    page = f"<html><head><title>{status} Bad Gateway</title></head><body><h1>{status}</h1></body></html>"
    return RawAnswer(status, page, "text/html")


def garbage_answer(status: int = 200) -> RawAnswer:
    return RawAnswer(status, '{"data": {"video_id": ', "application/json")

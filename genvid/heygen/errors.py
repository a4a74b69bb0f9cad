"""What can go wrong at HeyGen, by what it means for us: a definite no, our own problem, wait, or unknown."""

from collections.abc import Mapping

import structlog

logger = structlog.get_logger(__name__)


class HeyGenError(Exception):
    """`code` is HeyGen's, lower-cased, or ours where HeyGen gave none. `retry_after` is in seconds.

    `message` is the provider's text: for logs and staff, never for customers. `status` is None when no answer came.
    """

    retryable = False

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        param: str | None = None,
    ) -> None:
        self.code = code.lower()
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.request_id = request_id
        self.param = param
        super().__init__(f"{self.code}: {message}" if message else self.code)


class Refused(HeyGenError):
    """A definite no: nothing was made, and the same input will be refused again."""


class OperatorProblem(HeyGenError):
    """Our key, wallet, plan or quota: nothing was made, and staff must act. Never the customer's fault."""


class Busy(HeyGenError):
    """Too many requests or renders at once: nothing was made; try again after `retry_after`."""

    retryable = True


class InProgress(HeyGenError):
    """The first request with this Idempotency-Key still runs: wait, then send the same key again."""

    retryable = True


class NotFound(HeyGenError):
    """HeyGen itself says that the thing does not exist. A gateway's 404 page is `Unknown`."""


class NotReady(HeyGenError):
    """An avatar or asset is still being processed: nothing was made; wait and send again."""

    retryable = True


class Unknown(HeyGenError):
    """We do not know what HeyGen did. Send again with the same key only. `sent` is False if nothing left us."""

    retryable = True
    sent = True


class LinkExpired(HeyGenError):
    """The file's signed link no longer works: read the video again for a fresh one."""

    retryable = True


# HeyGen v3, error codes page, with the codes that integrators have met. quota_exceeded comes as a 429, but waiting does
# not cure it. avatar_consent_required concerns one avatar, so it must not stop the whole queue as our own problems do.
BY_CODE: Mapping[str, type[HeyGenError]] = {
    "unauthorized": OperatorProblem,
    "authentication_failed": OperatorProblem,
    "forbidden": OperatorProblem,
    "ai_vendor_access_restricted": OperatorProblem,
    "insufficient_credit": OperatorProblem,
    "trial_limit_exceeded": OperatorProblem,
    "plan_upgrade_required": OperatorProblem,
    "subscription_required": OperatorProblem,
    "quota_exceeded": OperatorProblem,
    "resource_limit_reached": OperatorProblem,
    "ephemeral_upload_disabled": OperatorProblem,
    "movio_payment_insufficient_credit": OperatorProblem,
    "resource_access_denied": Refused,
    "voice_not_usable": Refused,
    "voice_unavailable": Refused,
    "avatar_not_usable": Refused,
    "avatar_expired": Refused,
    "avatar_consent_required": Refused,
    "invalid_parameter": Refused,
    "validation_error": Refused,
    "download_failed": Refused,
    "content_policy_violation": Refused,
    "script_too_short": Refused,
    "script_too_long": Refused,
    "tts_text_invalid": Refused,
    "unlimited_mode_disabled": Refused,
    "conflict": Refused,
    "payload_too_large": Refused,
    "rate_limit_exceeded": Busy,
    "request_in_progress": InProgress,
    "resource_not_ready": NotReady,
    "asset_not_available": NotReady,
    "not_found": NotFound,
    "video_not_found": NotFound,
    "avatar_not_found": NotFound,
    "avatar_group_not_found": NotFound,
    "voice_not_found": NotFound,
    "template_not_found": NotFound,
    "asset_not_found": NotFound,
    "webhook_not_found": NotFound,
    "resource_not_found": NotFound,
    "gateway_timeout": Unknown,
    "internal_error": Unknown,
    "voice_provider_error": Unknown,
    "service_unavailable": Unknown,
    "video_delete_failed": Unknown,
}


def classify(code: str | None, status: int) -> type[HeyGenError]:
    """The class for an error answer. An unknown code is loud, and judged by the HTTP status."""
    known = BY_CODE.get((code or "").lower())
    if known is not None:
        return known
    if code is not None:
        logger.warning("heygen_unknown_code", code=code, status=status)
    if code is not None and status == 404 and code.lower().endswith("_not_found"):
        return NotFound
    return classify_status(status)


def classify_status(status: int) -> type[HeyGenError]:
    """A 404 without HeyGen's own code may be a gateway's page, so it settles nothing."""
    if status in (401, 402, 403):
        return OperatorProblem
    if status == 429:
        return Busy
    if 400 <= status < 500 and status not in (404, 408, 425):
        return Refused
    return Unknown

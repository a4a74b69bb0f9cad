"""From HeyGen's failure codes and texts to ours. Customers see our words only: the provider's may change or leak."""

from collections.abc import Mapping

import structlog

from genvid.heygen.errors import HeyGenError, OperatorProblem
from genvid.heygen.types import Failure

logger = structlog.get_logger(__name__)

MESSAGES: Mapping[str, str] = {
    "avatar_unavailable": "This avatar cannot be used at the moment. Please choose another one.",
    "background_refused": "The background cannot be used. Please choose another one.",
    "content_refused": "The content was refused by the content policy. Please change the script or the images.",
    "image_unreachable": "An image could not be fetched from its address. Please check that it is public.",
    "invalid_request": "This combination of settings cannot be rendered. Please change it.",
    "provider_problem": "The video could not be made because of a problem on our side.",
    "render_failed": "The video could not be rendered. Please try again.",
    "script_refused": "The script cannot be spoken as it is. Please change it.",
    "script_too_long": "The script is too long.",
    "script_too_short": "The script is too short to be spoken.",
    "voice_unavailable": "This voice cannot be used at the moment. Please choose another one.",
}
RETRYABLE = frozenset({"image_unreachable", "provider_problem", "render_failed"})

# HeyGen v3, error codes page: the same codes come as error codes at submission and as failure codes of a video.
BY_CODE: Mapping[str, str] = {
    "asset_not_found": "background_refused",
    "avatar_consent_required": "avatar_unavailable",
    "avatar_expired": "avatar_unavailable",
    "avatar_group_not_found": "avatar_unavailable",
    "avatar_not_found": "avatar_unavailable",
    "avatar_not_usable": "avatar_unavailable",
    "content_policy_violation": "content_refused",
    "download_failed": "image_unreachable",
    "gateway_timeout": "render_failed",
    "insufficient_credit": "provider_problem",
    "internal_error": "render_failed",
    "movio_payment_insufficient_credit": "provider_problem",
    "payload_too_large": "script_too_long",
    "plan_upgrade_required": "provider_problem",
    "quota_exceeded": "provider_problem",
    "rendering_failed": "render_failed",
    "resource_access_denied": "avatar_unavailable",
    "script_too_long": "script_too_long",
    "script_too_short": "script_too_short",
    "service_unavailable": "render_failed",
    "subscription_required": "provider_problem",
    "trial_limit_exceeded": "provider_problem",
    "tts_text_invalid": "script_refused",
    "voice_not_found": "voice_unavailable",
    "voice_not_usable": "voice_unavailable",
    "voice_provider_error": "render_failed",
    "voice_unavailable": "voice_unavailable",
}
# Tried in this order, in the code and then in the text, when the code is not in the table. Money first: taking an empty
# wallet for a customer's fault would be the worse mistake.
BY_WORD: tuple[tuple[str, str], ...] = (
    ("credit", "provider_problem"),
    ("quota", "provider_problem"),
    ("balance", "provider_problem"),
    ("payment", "provider_problem"),
    ("policy", "content_refused"),
    ("moderation", "content_refused"),
    ("timed out", "render_failed"),
    ("timeout", "render_failed"),
    ("rendering", "render_failed"),
)
# The beginning of the field that a validation error names.
BY_PARAM: tuple[tuple[str, str], ...] = (
    ("avatar_id", "avatar_unavailable"),
    ("voice_id", "voice_unavailable"),
    ("script", "script_refused"),
    ("background", "background_refused"),
)


def failure_of_video(raw_code: str, raw_message: str) -> Failure:
    """Why a render failed. An unknown reason is loud, and taken for a failed render that may be tried again."""
    code = BY_CODE.get(raw_code.lower()) or _by_word(raw_code) or _by_word(raw_message)
    if code is None:
        logger.warning("heygen_unknown_failure", code=raw_code, provider_message=raw_message)
    return _failure(code or "render_failed", raw_code, raw_message)


def failure_of_error(error: HeyGenError) -> Failure:
    """What to tell a customer whose video HeyGen did not take."""
    if isinstance(error, OperatorProblem):
        return _failure("provider_problem", error.code, error.message)
    code = BY_CODE.get(error.code) or _by_param(error.param or "") or _by_word(error.code)
    return _failure(code or "invalid_request", error.code, error.message)


def _by_word(text: str) -> str | None:
    return next((code for word, code in BY_WORD if word in text.lower()), None)


def _by_param(param: str) -> str | None:
    return next((code for start, code in BY_PARAM if param.startswith(start)), None)


def _failure(code: str, raw_code: str, raw_message: str) -> Failure:
    return Failure(
        code=code,
        message=MESSAGES[code],
        retryable=code in RETRYABLE,
        operator_problem=code == "provider_problem",
        raw_code=raw_code,
        raw_message=raw_message,
    )

"""Maps HeyGen's failure codes to our own codes and texts, the only ones that customers see."""

from collections.abc import Mapping

import structlog

from genvid.heygen.heygen_errors import HeyGenError, OperatorProblem
from genvid.heygen.heygen_types import Failure
from genvid.heygen.verdicts import Judgement, Verdict, judge_error, judge_failure

logger = structlog.get_logger(__name__)

MESSAGES: Mapping[str, str] = {
    "avatar_unavailable": "This avatar cannot be used at the moment. Please choose another one.",
    "background_refused": "The background cannot be used. Please choose another one.",
    "content_refused": "The content was refused by the content policy. Please change the script or the images.",
    "footage_refused": "The picture or recording cannot be used. Please choose another one.",
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


def failure_of_video(raw_code: str, raw_message: str) -> Failure:
    judgement = judge_failure(raw_code, raw_message)
    if not judgement.is_known:
        logger.warning("heygen_unknown_failure", code=raw_code, provider_message=raw_message)
    return _failure(judgement, raw_code, raw_message)


def failure_of_error(error: HeyGenError) -> Failure:
    status = error.status or (403 if isinstance(error, OperatorProblem) else 400)
    judgement = error.judgement or judge_error(error.code, error.message, status, error.param or "")
    return _failure(judgement, error.code, error.message)


def _failure(judgement: Judgement, raw_code: str, raw_message: str) -> Failure:
    return Failure(
        code=judgement.reason,
        message=MESSAGES[judgement.reason],
        retryable=judgement.reason in RETRYABLE,
        verdict=judgement.meaning if isinstance(judgement.meaning, Verdict) else None,
        raw_code=raw_code,
        raw_message=raw_message,
    )

"""HeyGen's answers about own faces and voices, as codes and texts that customers see."""

from collections.abc import Mapping
from typing import TypedDict

from genvid.heygen.failures import failure_of_error
from genvid.heygen.heygen_errors import HeyGenError
from genvid.heygen.heygen_types import Failure

MESSAGES: Mapping[str, str] = {
    "content_refused": "The content policy refuses it. Please choose another picture or recording.",
    "footage_refused": "The picture or recording cannot be used. Please choose another one.",
    "creation_failed": "It could not be made. Please try again, or with another picture or recording.",
}
FULL_CODES = frozenset({"quota_exceeded", "resource_limit_exceeded", "resource_limit_reached"})


class Told(TypedDict):
    code: str
    message: str


def is_full(error: HeyGenError) -> bool:
    """HeyGen's account can have no more faces or voices at present: staff can delete some, or buy more."""
    return error.code in FULL_CODES


def of_error(error: HeyGenError) -> Told:
    return of_failure(failure_of_error(error))


def of_failure(failure: Failure | None) -> Told:
    reason = failure.code if failure else ""
    if reason in ("image_unreachable", "background_refused"):
        reason = "footage_refused"
    code = reason if reason in MESSAGES else "creation_failed"
    return {"code": code, "message": MESSAGES[code]}

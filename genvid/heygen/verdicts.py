"""The meaning of HeyGen's codes and messages: one table for refused orders, status reads and failed renders.

Codes come from HeyGen v3's error codes page, from the older API, and from integrators' reports. A code may be an error
of a call or the failure of a video. Where a code says little, its message decides.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from django.dispatch import Signal

from genvid.metrics import Tally

unknown_code = Signal()
"""HeyGen sent an unknown code. Arguments: `code`, `message`, `status` (None for a failed render)."""

_unknown_codes = Tally("genvid_provider_unknown_codes_total", "Codes of HeyGen that the table lacks.", ["source"])


class Verdict(Enum):
    OPERATOR = "operator"
    BUSY = "busy"
    CONTENT_REFUSED = "content_refused"
    INPUT_WRONG = "input_wrong"


class Unsettled(Enum):
    """An answer that decides nothing. A render that failed with it may be ordered again."""

    NOT_FOUND = "not_found"
    NOT_READY = "not_ready"
    IN_PROGRESS = "in_progress"
    UNKNOWN = "unknown"


Meaning = Verdict | Unsettled


@dataclass(frozen=True)
class Judgement:
    """`reason` is our own code, a key of `failures.MESSAGES`. `is_known`: HeyGen's code is in the table."""

    meaning: Meaning
    reason: str
    is_known: bool = True


@dataclass(frozen=True)
class Entry:
    """`is_vague`: a message about money, plan, load or content counts more than the code."""

    meaning: Meaning
    reason: str
    is_vague: bool = False


_OURS = Entry(Verdict.OPERATOR, "provider_problem")
_OURS_VAGUE = Entry(Verdict.OPERATOR, "provider_problem", is_vague=True)
_BUSY = Entry(Verdict.BUSY, "provider_problem")
_CONTENT = Entry(Verdict.CONTENT_REFUSED, "content_refused")
_AVATAR = Entry(Verdict.INPUT_WRONG, "avatar_unavailable")
_VOICE = Entry(Verdict.INPUT_WRONG, "voice_unavailable")
_SCRIPT = Entry(Verdict.INPUT_WRONG, "script_refused")
_TOO_LONG = Entry(Verdict.INPUT_WRONG, "script_too_long")
_MEDIA = Entry(Verdict.INPUT_WRONG, "background_refused")
_FOOTAGE = Entry(Verdict.INPUT_WRONG, "footage_refused")
_SETTINGS = Entry(Verdict.INPUT_WRONG, "invalid_request")
_SETTINGS_VAGUE = Entry(Verdict.INPUT_WRONG, "invalid_request", is_vague=True)
_BROKEN = Entry(Unsettled.UNKNOWN, "render_failed", is_vague=True)
_NOT_READY = Entry(Unsettled.NOT_READY, "render_failed")


def _missing(reason: str) -> Entry:
    return Entry(Unsettled.NOT_FOUND, reason)


CODES: Mapping[str, Entry] = {
    # Our account
    "ai_vendor_access_restricted": _OURS,
    "authentication_failed": _OURS,
    "ephemeral_upload_disabled": _OURS,
    "forbidden": _OURS_VAGUE,
    "insufficient_credit": _OURS,
    "insufficient_credits": _OURS,
    "movio_payment_insufficient_credit": _OURS,
    "no_api_key": _OURS,
    "payment_required": _OURS,
    "plan_upgrade_required": _OURS,
    # It comes with 429, but waiting does not cure it.
    "quota_exceeded": _OURS,
    # A limit of the plan, or of what may run at once: the message tells which.
    "resource_limit_exceeded": _OURS_VAGUE,
    "resource_limit_reached": _OURS_VAGUE,
    "subscription_required": _OURS,
    "tier_not_support": _OURS,
    "tier_not_supported": _OURS,
    "trial_limit_exceeded": _OURS,
    "unauthorized": _OURS,
    "user_blocked": _OURS,
    "400562": _OURS,
    "400573": _OURS,
    "400599": _OURS,
    "400631": _OURS,
    "40009": _OURS,
    "400112": _OURS,
    "401056": _OURS,
    "401057": _OURS,
    # Load
    "concurrency_limit_exceeded": _BUSY,
    "rate_limit_exceeded": _BUSY,
    "too_many_requests": _BUSY,
    # Content
    "content_policy_violation": _CONTENT,
    "400105": _CONTENT,
    # What was asked for. A missing consent concerns one avatar, and must not stop the queue.
    "asset_unavailable": _MEDIA,
    "avatar_consent_required": _AVATAR,
    "avatar_expired": _AVATAR,
    "avatar_not_usable": _AVATAR,
    "bad_request": _SETTINGS_VAGUE,
    "conflict": _SETTINGS_VAGUE,
    "download_failed": Entry(Verdict.INPUT_WRONG, "image_unreachable"),
    "invalid_parameter": _SETTINGS_VAGUE,
    "payload_too_large": _TOO_LONG,
    "resource_access_denied": _AVATAR,
    "script_too_long": _TOO_LONG,
    "script_too_short": Entry(Verdict.INPUT_WRONG, "script_too_short"),
    # Of a face that is made of a film: too short, too long, no face in it.
    "training_failed": _FOOTAGE,
    "tts_text_invalid": _SCRIPT,
    "unlimited_mode_disabled": _SETTINGS,
    "validation_error": _SETTINGS_VAGUE,
    "voice_not_usable": _VOICE,
    "voice_unavailable": _VOICE,
    "40001": _SETTINGS_VAGUE,
    "40012": _SETTINGS_VAGUE,
    "40039": _SETTINGS_VAGUE,
    "400175": _SETTINGS_VAGUE,
    "40119": _TOO_LONG,
    "40044": _MEDIA,
    "400621": _MEDIA,
    "400624": _MEDIA,
    "400652": _MEDIA,
    # Undecided by themselves
    "asset_not_available": _NOT_READY,
    "resource_not_ready": _NOT_READY,
    "request_in_progress": Entry(Unsettled.IN_PROGRESS, "render_failed"),
    "gateway_timeout": _BROKEN,
    "internal_error": _BROKEN,
    "rendering_failed": _BROKEN,
    "service_unavailable": _BROKEN,
    "video_delete_failed": _BROKEN,
    "voice_provider_error": _BROKEN,
    "asset_not_found": _missing("background_refused"),
    "avatar_group_not_found": _missing("avatar_unavailable"),
    "avatar_not_found": _missing("avatar_unavailable"),
    "not_found": _missing("invalid_request"),
    "resource_not_found": _missing("invalid_request"),
    "template_not_found": _missing("invalid_request"),
    "video_not_found": _missing("invalid_request"),
    "voice_not_found": _missing("voice_unavailable"),
    "webhook_not_found": _missing("invalid_request"),
}

# In this order. Money first: to take an empty wallet for a customer's fault would be the worse mistake. Load before
# plan: a limit of what may run at once is named after the plan, too, and waiting cures it.
WORDS: tuple[tuple[re.Pattern[str], Entry], ...] = (
    (re.compile(r"\b(credits?|balance|payments?|billing|wallet|suspended|deactivated|unauthori[sz]ed)\b"), _OURS),
    (re.compile(r"\b(account|user|workspace|organi[sz]ation)( \w+){0,3} (blocked|banned|disabled|locked)\b"), _OURS),
    (re.compile(r"\b((user|account) blocked|api key)\b"), _OURS),
    (re.compile(r"\b(concurren(t|tly|cy)|simultaneous(ly)?|rate limit(s|ed)?|throttled|too many (\w+ )?"
                r"(requests|videos|jobs|renders|tasks))\b"), _BUSY),
    (re.compile(r"\b(quota|plans?|tier|upgrade|subscriptions?|trial)\b"), _OURS),
    (re.compile(r"\b(policy|policies|moderation|moderated|nsfw|blocked words?|prohibited content)\b"), _CONTENT),
)  # fmt: skip
# The beginning of the field that a validation error names.
FIELDS: tuple[tuple[str, str], ...] = (
    ("avatar_id", "avatar_unavailable"),
    ("voice_id", "voice_unavailable"),
    ("script", "script_refused"),
    ("background", "background_refused"),
    ("file", "footage_refused"),
    ("audio", "footage_refused"),
)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)")


def judge_error(code: str | None, message: str, status: int, param: str = "") -> Judgement:
    """Without code and message the answer may come from a gateway: its status decides."""
    if code is None:
        return _judge_unknown_error("", message, status, param)
    entry = CODES.get(_normal(code))
    if entry is None:
        _report_unknown_code(code, message, status)
        return _judge_unknown_error(code, message, status, param)
    said = _by_words(message) if entry.is_vague and isinstance(entry.meaning, Verdict) else None
    found = said or entry
    reason = _reason_of(param) if found is entry and entry.reason == "invalid_request" else None
    return Judgement(found.meaning, reason or found.reason)


def judge_failure(code: str, message: str) -> Judgement:
    entry = CODES.get(_normal(code))
    if entry is None:
        _report_unknown_code(code, message, None)
    said = _by_words(code) if entry is None else None
    if said is None and (entry is None or entry.is_vague):
        said = _by_words(message)
    found = said or entry or _BROKEN
    if found.meaning is Unsettled.NOT_FOUND:
        return Judgement(Verdict.INPUT_WRONG, found.reason)
    return Judgement(found.meaning, found.reason, is_known=entry is not None)


def is_known(code: str) -> bool:
    return _normal(code) in CODES


def _judge_unknown_error(code: str, message: str, status: int, param: str) -> Judgement:
    by_status = _by_status(status)
    if status == 404 and _normal(code).endswith("_not_found"):
        return Judgement(Unsettled.NOT_FOUND, "invalid_request", is_known=False)
    said = (_by_words(code) or _by_words(message)) if isinstance(by_status.meaning, Verdict) else None
    if said is not None and status not in (401, 402):
        return Judgement(said.meaning, said.reason, is_known=False)
    reason = _reason_of(param) if by_status.meaning is Verdict.INPUT_WRONG else None
    return Judgement(by_status.meaning, reason or by_status.reason, is_known=False)


def _by_status(status: int) -> Judgement:
    """A 404 without HeyGen's own code may be a gateway's page, so it decides nothing."""
    if status in (401, 402, 403):
        return Judgement(Verdict.OPERATOR, "provider_problem", is_known=False)
    if status == 429:
        return Judgement(Verdict.BUSY, "provider_problem", is_known=False)
    if 400 <= status < 500 and status not in (404, 408, 425):
        return Judgement(Verdict.INPUT_WRONG, "invalid_request", is_known=False)
    return Judgement(Unsettled.UNKNOWN, "render_failed", is_known=False)


def _by_words(text: str) -> Entry | None:
    plain = re.sub(r"[\W_]+", " ", _QUOTED.sub(" ", text.lower()))
    return next((entry for words, entry in WORDS if words.search(plain)), None)


def _reason_of(param: str) -> str | None:
    return next((reason for start, reason in FIELDS if param.startswith(start)), None)


def _normal(code: str) -> str:
    return re.sub(r"[\s-]+", "_", code.strip().lower())


def _report_unknown_code(code: str, message: str, status: int | None) -> None:
    if not code.strip():
        return
    _unknown_codes.add("error" if status is not None else "failure")
    unknown_code.send_robust(None, code=code, message=message, status=status)

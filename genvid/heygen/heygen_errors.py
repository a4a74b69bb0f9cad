"""Errors of HeyGen's API, by their consequence for us: refused, our own problem, wait, or outcome unknown."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from genvid.heygen.verdicts import Judgement, Meaning, Unsettled, Verdict, is_known, judge_error

logger = structlog.get_logger(__name__)


class HeyGenError(Exception):
    """`code` is HeyGen's, lower-cased, or ours where HeyGen gave none. `retry_after` is in seconds.

    `message` is HeyGen's text, for logs and staff only. `status` is None without an answer.
    """

    retryable = False
    judgement: Judgement | None = None

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
    """A definite refusal: nothing was made, and the same input will be refused again."""

    @property
    def is_named(self) -> bool:
        """Whether a known code of HeyGen names the refused part of the video (its id is not part of that)."""
        return is_known(self.code) and self.param not in ("video_id", "video_ids")


class OperatorProblem(HeyGenError):
    """Our key, wallet, plan or quota: nothing was made, and staff must act. Never the customer's fault."""


class Busy(HeyGenError):
    """Too many requests or renders at once: nothing was made. Retry after `retry_after`."""

    retryable = True


class InProgress(HeyGenError):
    """The first request with this Idempotency-Key still runs: wait, then send the same key again."""

    retryable = True


class NotFound(HeyGenError):
    """HeyGen's own 404. A gateway's 404 page is `Unknown`."""

    def as_refusal(self) -> Refused:
        refusal = Refused(self.code, self.message, status=self.status, request_id=self.request_id, param=self.param)
        refusal.judgement = self.judgement and replace(self.judgement, meaning=Verdict.INPUT_WRONG)
        return refusal


class NotReady(HeyGenError):
    """An avatar or asset is still being processed: nothing was made. Wait, then send again."""

    retryable = True


class Unknown(HeyGenError):
    """The outcome is unknown: send again with the same key only. `sent` is False if nothing left us."""

    retryable = True
    sent = True


class LinkExpired(HeyGenError):
    """The signed link of a file no longer works: read the video again for a new one."""

    retryable = True


KINDS: Mapping[Meaning, type[HeyGenError]] = {
    Verdict.OPERATOR: OperatorProblem,
    Verdict.BUSY: Busy,
    Verdict.CONTENT_REFUSED: Refused,
    Verdict.INPUT_WRONG: Refused,
    Unsettled.NOT_FOUND: NotFound,
    Unsettled.NOT_READY: NotReady,
    Unsettled.IN_PROGRESS: InProgress,
    Unsettled.UNKNOWN: Unknown,
}


def error_of(
    code: str | None,
    message: str,
    *,
    status: int,
    retry_after: float | None = None,
    request_id: str | None = None,
    param: str | None = None,
) -> HeyGenError:
    judgement = judge_error(code, message, status, param or "")
    if code is not None and not judgement.is_known:
        logger.warning("heygen_unknown_code", code=code, status=status)
    error = KINDS[judgement.meaning](
        code or f"http_{status}", message, status=status, retry_after=retry_after, request_id=request_id, param=param
    )
    error.judgement = judgement
    return error

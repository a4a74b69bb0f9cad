"""One call to HeyGen: sends the request, reads the envelope, raises the error of the answer."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import structlog

from genvid import http, metrics, request_context
from genvid.heygen import call_history
from genvid.heygen.call_pace import wait_for_turn
from genvid.heygen.heygen_errors import HeyGenError, OperatorProblem, Unknown, error_of
from genvid.heygen.reachability import of_this_process
from genvid.heygen.wire import read_text

logger = structlog.get_logger(__name__)

GET_RETRIES = 2
# A GET is repeated only while it has cost less than this, so that a caller waits for one slow answer at most.
GET_RETRY_BUDGET_SECONDS = 5.0
GET_RETRY_BASE_SECONDS = 0.25
MAX_ANSWER_BYTES = 5 * 1024 * 1024
MAX_MESSAGE_LENGTH = 500
MAX_ID_LENGTH = 80


@dataclass(frozen=True)
class Call:
    operation: str
    method: str
    path: str
    timeout: float
    params: Mapping[str, str] | None = None
    json: Any = None
    idempotency_key: str | None = None
    file: http.FormFile | None = None
    """Sent as multipart/form-data, in the place of `json`."""


@dataclass(frozen=True)
class Transport:
    base_url: str
    api_key: str

    def call(self, call: Call) -> Mapping[str, Any]:
        """Returns the whole envelope. Only a GET is repeated: a second POST may make a second video."""
        if not self.api_key:
            raise OperatorProblem("no_api_key", "HEYGEN_API_KEY is empty")
        started = time.monotonic()
        for attempt in range(GET_RETRIES if call.method == "GET" else 0):
            try:
                return self._call_once(call)
            except Unknown:
                if time.monotonic() - started > GET_RETRY_BUDGET_SECONDS:
                    raise
            time.sleep(GET_RETRY_BASE_SECONDS * 2**attempt * random.uniform(0.75, 1.25))
        return self._call_once(call)

    def _call_once(self, call: Call) -> Mapping[str, Any]:
        wait_for_turn(f"{self.base_url} {call.operation}")
        started = time.monotonic()
        try:
            answer = self._send(call)
        except http.HttpError as error:
            unknown = _unknown_outcome(error)
            self._note(started, unknown)
            _log(call, started, unknown)
            raise unknown from error
        try:
            envelope = read_envelope(answer)
        except HeyGenError as error:
            self._note(started, error)
            _log(call, started, error)
            raise
        self._note(started, None)
        _log(call, started, None, answer)
        return envelope

    def _note(self, began: float, error: HeyGenError | None) -> None:
        of_this_process.note(self.base_url, began=began, answered=not isinstance(error, Unknown))

    def _send(self, call: Call) -> http.Response:
        headers = {"X-Api-Key": self.api_key, "Accept": "application/json"}
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        if call.file is not None:
            headers["Content-Type"] = call.file.content_type
        return http.send(
            call.method,
            self.base_url.rstrip("/") + call.path,
            timeout=call.timeout,
            allow_private=True,
            headers=headers,
            params=call.params,
            json=call.json,
            body=call.file,
            max_bytes=MAX_ANSWER_BYTES,
        )


def _unknown_outcome(error: http.HttpError) -> Unknown:
    unknown = Unknown(type(error).__name__, str(error))
    unknown.sent = error.sent
    return unknown


def read_envelope(answer: http.Response) -> Mapping[str, Any]:
    """Raises the error of the answer.

    An error may come with any status, and `"error": null` with a success. Anything but JSON comes from a gateway and is
    judged by its status (HeyGen v3, error codes page).
    """
    envelope = _read_json(answer)
    failed = envelope.get("error") is not None or not 200 <= answer.status < 300
    if failed:
        raise _read_error(envelope, answer)
    if "data" not in envelope:
        raise Unknown("unreadable", "no data", status=answer.status, request_id=request_id(answer))
    return envelope


def _read_json(answer: http.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _read_error(envelope: Mapping[str, Any], answer: http.Response) -> HeyGenError:
    raw = _error_object(envelope)
    return error_of(
        read_text(raw, "code") or None,
        read_text(raw, "message")[:MAX_MESSAGE_LENGTH],
        status=answer.status,
        retry_after=read_retry_after(answer.headers.get("Retry-After")),
        request_id=request_id(answer),
        param=read_text(raw, "param") or None,
    )


def _error_object(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """`{"error": {"code", "message"}}`; older answers have both at the top level, or a text instead of the object."""
    raw = envelope.get("error")
    if isinstance(raw, dict):
        return raw
    return {"code": envelope.get("code"), "message": raw if isinstance(raw, str) else envelope.get("message")}


def request_id(answer: http.Response) -> str | None:
    """HeyGen's own id, or the gateway's for answers that never reached HeyGen."""
    return answer.headers.get("X-Request-Id") or answer.headers.get("x-amzn-request-id")


def read_retry_after(value: str | None) -> float | None:
    """Seconds from now, read from whole seconds or an HTTP date; None for anything else."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value) if len(value) < 10 else None
    try:
        then = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max((then - datetime.now(UTC)).total_seconds(), 0.0)


def _log(call: Call, started: float, error: HeyGenError | None, answer: http.Response | None = None) -> None:
    """One line per call, without bodies and URLs: those hold scripts and signed links."""
    seconds = time.monotonic() - started
    metrics.observe_call(call.operation, error.code if error else None, seconds)
    log = logger.info if error is None else logger.warning
    status = answer.status if answer else (error and error.status)
    provider_request_id = request_id(answer) if answer else (error and error.request_id)
    code, duration_ms = error and error.code, round(seconds * 1000)
    log(
        "heygen_call",
        operation=call.operation,
        status=status,
        code=code,
        duration_ms=duration_ms,
        provider_request_id=provider_request_id,
    )
    if video_id := request_context.current().video_id:
        at, known = datetime.now(UTC).isoformat(), (provider_request_id or "")[:MAX_ID_LENGTH]
        record = {"at": at, "operation": call.operation, "status": status, "code": (code or "")[:MAX_ID_LENGTH]}
        call_history.remember(video_id, record | {"request_id": known, "ms": duration_ms})

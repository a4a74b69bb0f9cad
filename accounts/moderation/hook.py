"""The outside service that looks at texts: a function that the operator names in MODERATION_HOOK.

It runs in a thread, for at most MODERATION_HOOK_TIMEOUT seconds and never inside a transaction. What it does not answer
is passed or refused with 503, as MODERATION_HOOK_FAILURE says.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from accounts.enums import Outcome
from genvid.errors import ProviderUnavailable
from genvid.metrics import Tally
from genvid.process_cache import ProcessCache

logger = structlog.get_logger(__name__)
MOST_THREADS = 16
"""Of this process: calls that hang must not take all of its memory."""
ALARM_AFTER = 120.0
"""Seconds since the first failure without a success between."""
ALARM_PAUSE = 60.0
RETRY_AFTER = 30
LONGEST_REASON = 300
_free = threading.BoundedSemaphore(MOST_THREADS)
_alarmed = ProcessCache(ALARM_PAUSE, size=1)
_calls = Tally("genvid_moderation_hook_total", "Calls of the outside service that looks at texts.", ["result"])


class Answer(NamedTuple):
    """`outcome`: "refuse" or "review". `reason`: what the customer reads."""

    outcome: str
    reason: str


Hook = Callable[[UUID, Mapping[str, str]], Mapping[str, Answer]]
"""Gets the account's id and texts by field; returns an answer for each field that may not pass, none for the others."""


class HookFailed(Exception):
    pass


class _Failures:
    """`since`: when the first call failed after which none succeeded (monotonic seconds)."""

    since: float | None = None


_failures = _Failures()


def is_set() -> bool:
    return bool(settings.MODERATION_HOOK)


def ask(account_id: UUID, texts: Mapping[str, str]) -> Mapping[str, Answer]:
    """Raises ProviderUnavailable where it fails and MODERATION_HOOK_FAILURE is `closed`."""
    try:
        answers = _checked(_call(account_id, texts), texts)
    except Exception as error:
        _record_failure(error)
        if settings.MODERATION_HOOK_FAILURE == "closed":
            message = "The check of texts does not answer at present."
            raise ProviderUnavailable(message, retry_after=RETRY_AFTER) from error
        return {}
    _failures.since = None
    _calls.add("answered")
    return answers


def _call(account_id: UUID, texts: Mapping[str, str]) -> Any:
    hook: Hook = import_string(settings.MODERATION_HOOK)
    free, future = _free, Future[Any]()
    if not free.acquire(blocking=False):
        raise HookFailed("all threads wait for it")
    work = partial(copy_context().run, _run, partial(hook, account_id, dict(texts)), future, free)
    # A daemon: one that hangs must not keep the process from ending.
    threading.Thread(target=work, name="moderation", daemon=True).start()
    return future.result(timeout=settings.MODERATION_HOOK_TIMEOUT)


def _run(ask_service: Callable[[], Any], future: "Future[Any]", free: threading.BoundedSemaphore) -> None:
    try:
        future.set_result(ask_service())
    except BaseException as error:  # noqa: BLE001 - the caller raises it
        future.set_exception(error)
    finally:
        connections.close_all()
        free.release()


def _checked(answers: Any, texts: Mapping[str, str]) -> dict[str, Answer]:
    found = {field: Answer(*answer) for field, answer in dict(answers).items()}
    wrong = [field for field, answer in found.items() if field not in texts or answer.outcome not in Outcome.values]
    if wrong:
        raise HookFailed(f"it answered about {', '.join(map(str, wrong[:5]))} what it may not")
    return {field: Answer(answer.outcome, str(answer.reason)[:LONGEST_REASON]) for field, answer in found.items()}


def _record_failure(error: Exception) -> None:
    _calls.add("timed_out" if isinstance(error, TimeoutError) else "failed")
    logger.warning("moderation_hook_failed", error=repr(error))
    now = time.monotonic()
    if _failures.since is None:
        _failures.since = now
    elif now - _failures.since >= ALARM_AFTER and not _alarmed.get(""):
        _alarmed.keep("", True)
        _raise_alarm(error)


def _raise_alarm(error: Exception) -> None:
    raise_alarm: Any = import_string(settings.OPERATOR_ALARM)
    passed = settings.MODERATION_HOOK_FAILURE == "open"
    effect = "Texts pass without it." if passed else "Requests with texts are refused with 503."
    raise_alarm("moderation_hook_fails", "", f"{settings.MODERATION_HOOK} has not answered: {error!r}. {effect}")

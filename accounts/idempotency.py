"""`Idempotency-Key`: a client may send a POST again, at any time, and its effect happens once.

The key is claimed and committed first, so that a twin sees it running. The answer is stored in the transaction of the
effect: a crash leaves either both or neither, and a claim without an answer may be taken over after `LEASE`.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.models import IdempotencyRecord
from genvid.api.exceptions import describe
from genvid.api.renderers import dump
from genvid.errors import IdempotencyInProgress, IdempotencyKeyReused, ValidationFailed

KEY = re.compile(r"[A-Za-z0-9_:.\-]{1,255}")
WINDOW = timedelta(hours=24)
LEASE = timedelta(seconds=settings.IDEMPOTENCY_LEASE)

Effect = Callable[[], Response]
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    pattern=f"^{KEY.pattern}$",
    location=OpenApiParameter.HEADER,
    description="1 to 255 of A-Z a-z 0-9 _ : . -; a repetition within 24 hours gets the first answer again.",
)
"""For the schema of every view that uses `idempotent`."""


def idempotent(handler: Callable[..., Effect]) -> Callable[..., Response]:
    """Make a view's POST handler answer a repeated `Idempotency-Key` with the stored answer. Scope: the account.

    The handler reads and checks the request, and returns the effect: that alone runs inside the transaction, so
    looking up a name in the DNS, say, holds no lock.
    """

    @wraps(handler)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)()
        record = _claim(request, _checked(key))
        if record.status is not None:
            return _replay(record)
        return _run_once(record, lambda: handler(view, request, *args, **kwargs))

    return once


def _checked(key: str) -> str:
    if not KEY.fullmatch(key):
        message = "Must be 1 to 255 characters of A-Z, a-z, 0-9, '_', ':', '.' and '-'."
        raise ValidationFailed(details={"Idempotency-Key": message})
    return key


def _fingerprint(request: Request) -> str:
    body: bytes = request._request.body
    if request.content_type.startswith("multipart/"):
        body = _form_as_bytes(dict(request.data))
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + body).hexdigest()


def _form_as_bytes(form: dict[str, Any]) -> bytes:
    """A form without its boundary, which a client makes anew for each try."""
    parts = []
    for name, value in sorted(form.items()):
        if not isinstance(value, str):
            content = value.read()
            value.seek(0)
            value = hashlib.sha256(content).hexdigest()
        parts.append([name, value])
    return dump(parts)


def _claim(request: Request, key: str) -> IdempotencyRecord:
    """The record of this key: ours to work on when its `status` is None, else with the answer to repeat."""
    account_id, fingerprint, now = caller_of(request).account_id, _fingerprint(request), timezone.now()
    fresh = {"fingerprint": fingerprint, "claimed_at": now, "created_at": now, "status": None, "answer": None}
    try:
        with transaction.atomic():
            return IdempotencyRecord.objects.create(account_id=account_id, key=key, **fresh)
    except IntegrityError:
        mine = IdempotencyRecord.objects.filter(account_id=account_id, key=key)
    abandoned = Q(status=None, claimed_at__lt=now - LEASE, fingerprint=fingerprint)
    if mine.filter(abandoned | Q(created_at__lt=now - WINDOW)).update(**fresh):
        return mine.get()
    record = mine.first()
    if record is None:
        raise IdempotencyInProgress(retry_after=1)
    if record.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    if record.status is None:
        raise IdempotencyInProgress(retry_after=1)
    return record


def _run_once(record: IdempotencyRecord, prepare: Callable[[], Effect]) -> Response:
    try:
        effect = prepare()
        with transaction.atomic():
            response = effect()
            _store(record, response.status_code, response.data)
            return response
    except Exception as error:
        status, body, _ = describe(error)
        if status < 500 and status not in (401, 409, 429):
            _store(record, status, body)
        else:
            _still_mine(record).delete()
        raise


def _store(record: IdempotencyRecord, status: int, answer: Any) -> None:
    if _still_mine(record).update(status=status, answer=dump(answer).decode()) != 1:
        # Somebody took the claim over after the lease: their effect counts, ours rolls back.
        raise IdempotencyInProgress(retry_after=1)


def _still_mine(record: IdempotencyRecord) -> Any:
    return IdempotencyRecord.objects.filter(pk=record.pk, claimed_at=record.claimed_at, status=None)


def _replay(record: IdempotencyRecord) -> Response:
    response = Response(
        orjson.loads(record.answer or b"null"), status=record.status, headers={"Idempotent-Replayed": "true"}
    )
    response.exception = (record.status or 0) >= 400
    return response

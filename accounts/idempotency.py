"""`Idempotency-Key`: a repeated POST with one key has its effect once. Only `accounts.viewsets` may call it.

The claim is committed before the action, so that concurrent repetitions see it. The response is stored in the action's
transaction. A claim without a response (after a crash) may be taken over after `LEASE`.

An action that calls outside commits before its response is stored. The primary key of what it makes is therefore
committed with the claim: a repetition gets the same one, and finds what an earlier try has made.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.functions import Coalesce
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.models import IdempotencyRecord
from genvid.api.endpoints import IDEMPOTENCY_KEY_PATTERN, Idempotency
from genvid.api.exceptions import describe
from genvid.api.renderers import dump
from genvid.compiled_writes import CompiledUpdate
from genvid.errors import IdempotencyInProgress, IdempotencyKeyReused, ValidationFailed
from genvid.leasing import from_now
from genvid.statements import CompiledInsert, update_returning

KEY_PATTERN = re.compile(IDEMPOTENCY_KEY_PATTERN)
WINDOW = timedelta(hours=24)
MAX_STORED_REFUSAL_BYTES = 2048
"""Larger refusals are not stored; a repetition runs again, which is safe since nothing was changed."""
LEASE = timedelta(seconds=settings.IDEMPOTENCY_LEASE)

Action = Callable[[UUID], HttpResponseBase]
"""Takes the primary key for what it makes."""


def run_once(request: Request, kind: Idempotency, *, prepare: Callable[[], None], act: Action) -> HttpResponseBase:
    """Run `act` once per account and key; `prepare` runs before it, outside its transaction.

    Raises IdempotencyKeyReused if the key belongs to another request, IdempotencyInProgress, ValidationFailed.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        prepare()
        return act(uuid4())
    record = _claim(request, _validated_key(key))
    if record.status is not None:
        return _replay(record)
    return _run_once(record, kind, prepare, act)


def _validated_key(key: str) -> str:
    if not KEY_PATTERN.fullmatch(key):
        message = "Must be 1 to 255 characters of A-Z, a-z, 0-9, '_', ':', '.' and '-'."
        raise ValidationFailed(details={"Idempotency-Key": message})
    return key


def _fingerprint(request: Request) -> str:
    is_form = request.content_type.startswith("multipart/")
    # Of a form only what its parser made of it is read: a file of it may be too large for the memory.
    body: bytes = _form_as_bytes(dict(request.data)) if is_form else request._request.body
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + body).hexdigest()


def _form_as_bytes(form: dict[str, Any]) -> bytes:
    """Fields of a multipart form without the boundary, which clients change with every request."""
    parts = []
    for name, value in sorted(form.items()):
        if not isinstance(value, str):
            digest = hashlib.sha256()
            for chunk in value.chunks():
                digest.update(chunk)
            value.seek(0)
            value = digest.hexdigest()
        parts.append([name, value])
    return dump(parts)


def _claim(request: Request, key: str) -> IdempotencyRecord:
    """The record of this key. `status` None: claimed by this request; otherwise it holds the response to replay."""
    account_id, fingerprint = caller_of(request).account_id, _fingerprint(request)
    named: dict[str, Any] = {"account_id": account_id, "key": key, "fingerprint": fingerprint}
    if claimed := _new_claim.rows(named | {"object_id": uuid4()}):
        return claimed[0]
    mine = IdempotencyRecord.objects.filter(account_id=account_id, key=key)
    abandoned = Q(status=None, claimed_at__lt=from_now(-LEASE), fingerprint=fingerprint)
    free = mine.filter(abandoned | Q(created_at__lt=from_now(-WINDOW)))
    changes = {**_fresh(fingerprint), "object_id": _object_id_of_takeover(), "status": None, "answer": None}
    taken_over = update_returning(free, changes, read=["claimed_at", "status", "object_id"])
    return taken_over[0] if taken_over else _of_another(mine.first(), fingerprint)


def _fresh(fingerprint: str) -> dict[str, Any]:
    return {"fingerprint": fingerprint, "claimed_at": from_now(), "created_at": from_now()}


def _object_id_of_takeover() -> Case:
    """That of the abandoned try; another one after a day, when the key means another request."""
    another = Value(uuid4())
    is_same_request = Q(created_at__gte=from_now(-WINDOW))
    return Case(When(is_same_request, then=Coalesce(F("object_id"), another)), default=another)


def _claim_of(account_id: UUID, key: str, fingerprint: str, object_id: UUID) -> IdempotencyRecord:
    return IdempotencyRecord(account_id=account_id, key=key, object_id=object_id, **_fresh(fingerprint))


_new_claim = CompiledInsert(
    IdempotencyRecord,
    _claim_of,
    read=("claimed_at", "status", "object_id"),
    account_id=UUID,
    key=str,
    fingerprint=str,
    object_id=UUID,
)


def _of_another(record: IdempotencyRecord | None, fingerprint: str) -> IdempotencyRecord:
    """The record if it holds the response to this request. Raises IdempotencyKeyReused and IdempotencyInProgress."""
    if record is not None and record.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    if record is None or record.status is None:
        raise IdempotencyInProgress(retry_after=1)
    return record


def _run_once(
    record: IdempotencyRecord, kind: Idempotency, prepare: Callable[[], None], act: Action
) -> HttpResponseBase:
    object_id, has_begun = record.object_id or uuid4(), False
    try:
        prepare()
        has_begun = True
        if kind is Idempotency.EXTERNAL:
            return _with_stored_response(record, act(object_id))
        with transaction.atomic():
            return _with_stored_response(record, act(object_id))
    except Exception as error:
        status, body, _ = describe(error)
        if _is_final(status) and len(dump(body)) <= MAX_STORED_REFUSAL_BYTES:
            _store_response(record, status, body)
        elif kind is Idempotency.EXTERNAL and has_begun and status >= 500:
            # Something may have been made: a repetition may begin at once, and finds it by `object_id`.
            record.held().update(claimed_at=from_now(-WINDOW))
        else:
            record.held().delete()
        raise


def _is_final(status: int) -> bool:
    return status < 500 and status not in (401, 409, 429)


def _with_stored_response(record: IdempotencyRecord, response: HttpResponseBase) -> HttpResponseBase:
    if not isinstance(response, Response):
        raise TypeError("an action that reads Idempotency-Key must answer with data, not with a file or a stream")
    _store_response(record, response.status_code, response.data)
    return response


def _store_response(record: IdempotencyRecord, status: int, answer: Any) -> None:
    field: Any = IdempotencyRecord._meta.get_field("answer")
    encrypted = field.get_prep_value(dump(answer).decode())
    claim: dict[str, Any] = {"record_id": record.pk, "claimed_at": record.claimed_at}
    if not _answer.rows(claim | {"status": status, "answer": encrypted}):
        # Somebody took the claim over after the lease: their effect counts, ours rolls back.
        raise IdempotencyInProgress(retry_after=1)


def _answered(record_id: int, claimed_at: datetime, status: int, answer: str) -> tuple[Any, dict[str, Any]]:
    held = IdempotencyRecord.objects.filter(pk=record_id, claimed_at=claimed_at, status=None)
    # As text: the field would encrypt it once more.
    return held, {"status": status, "answer": Value(answer, output_field=TextField())}


_answer = CompiledUpdate(
    IdempotencyRecord, _answered, read=(), record_id=int, claimed_at=datetime, status=int, answer=str
)


def _replay(record: IdempotencyRecord) -> Response:
    response = Response(
        orjson.loads(record.answer or b"null"), status=record.status, headers={"Idempotent-Replayed": "true"}
    )
    response.exception = (record.status or 0) >= 400
    return response

"""Batches: one script, many rows; how far they are, and their results as a table."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.idempotency import IDEMPOTENCY_KEY, Effect, idempotent
from accounts.services import require_verified_email
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.parsers import StrictFormParser, StrictJSONParser, parse_json
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView, one_or_404
from genvid.errors import MalformedBody, ValidationFailed
from videos import results
from videos.models import Batch
from videos.rows import Table
from videos.serializers.batches import BatchFormInput, BatchInput, BatchOutput, BatchQuoteOutput
from videos.services import batching
from videos.shapes import batch_data
from videos.tallies import standings
from videos.views.common import SCOPES

REQUEST = {"application/json": BatchInput, "multipart/form-data": BatchFormInput}
JSON_FIELDS = {
    "captions": "Must be true or false.",
    "speed": "Must be a number.",
    "background": "Must be an object, as JSON.",
    "metadata": "Must be an object, as JSON.",
}
"""A form has only texts: these are read as JSON."""


class BatchJSONParser(StrictJSONParser):
    max_bytes = settings.BATCH_MAX_BODY_BYTES


class BatchFormParser(StrictFormParser):
    max_bytes = settings.BATCH_MAX_BODY_BYTES


def _batches_of(request: Request) -> QuerySet[Batch]:
    """Those of the caller's account. A key sees those of its own mode alone; people see both."""
    caller = caller_of(request)
    mine = Batch.objects.filter(account=caller.account_id)
    return mine if caller.key_id is None else mine.filter(is_test=caller.is_test)


def wish_of(request: Request) -> tuple[Table, dict[str, Any]]:
    """The rows, and what their videos share. Raises ValidationFailed."""
    if request.content_type.startswith("multipart/"):
        wish = validated(BatchFormInput, _typed(dict(request.data)))
        return wish.pop("rows_file"), wish
    wish = validated(BatchInput, request.data)
    return wish.pop("rows"), wish


def _typed(form: dict[str, Any]) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    for name, expected in JSON_FIELDS.items():
        text = form.get(name)
        if not isinstance(text, str):
            continue
        try:
            # Nothing at all would be read as an empty object, as an empty body is.
            form[name] = parse_json(text.encode() or b"?")
        except MalformedBody:
            wrong[name] = expected
    if wrong:
        raise ValidationFailed(details=wrong)
    return form


def batch_of(request: Request, pk: UUID) -> Batch:
    batch: Batch = one_or_404(_batches_of(request), pk=pk)
    return batch


def data_of(batch: Batch) -> dict[str, Any]:
    return batch_data(batch, standings([batch])[batch.pk])


class BatchesView(KeysetListView):
    scopes = SCOPES
    parser_classes = (BatchJSONParser, BatchFormParser)

    @extend_schema(responses=BatchOutput(many=True), operation_id="list_batches", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(_batches_of(request))

    @extend_schema(
        request=REQUEST, responses={201: BatchOutput}, operation_id="create_batch", parameters=[IDEMPOTENCY_KEY]
    )
    @idempotent
    def post(self, request: Request) -> Effect:
        caller = caller_of(request)
        require_verified_email(caller.user_id)
        table, wish = wish_of(request)
        return lambda: Response(data_of(batching.create(caller, table, wish)), status=201)

    def represent(self, rows: list[Any]) -> list[Any]:
        found = standings(rows)
        return [batch_data(batch, found[batch.pk]) for batch in rows]


class BatchQuoteView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.VIDEOS_READ}
    parser_classes = (BatchJSONParser, BatchFormParser)

    @extend_schema(request=REQUEST, responses=BatchQuoteOutput, operation_id="quote_batch")
    def post(self, request: Request) -> Response:
        table, wish = wish_of(request)
        return Response(asdict(batching.quote(caller_of(request), table, wish)))


class BatchView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(responses=BatchOutput, operation_id="get_batch")
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(data_of(batch_of(request, pk)))


class BatchCancelView(StrictAPIView):
    scopes = SCOPES
    reads_body: ClassVar = frozenset()

    @extend_schema(request=None, responses=BatchOutput, operation_id="cancel_batch")
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(data_of(batching.cancel(batch_of(request, pk))))


class BatchResultsView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="A line for each row.")},
        operation_id="get_batch_results",
    )
    def get(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        batch = batch_of(request, pk)
        answer = StreamingHttpResponse(_as_csv(results.pages_of(batch)), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="batch-{batch.pk}.csv"'
        answer["Cache-Control"] = "private, no-store"
        return answer


def _as_csv(pages: Iterator[list[list[str]]]) -> Iterator[bytes]:
    # Spreadsheets take UTF-8 for something else unless it begins with a mark.
    yield b"\xef\xbb\xbf"
    for page in pages:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(page)
        yield text.getvalue().encode()

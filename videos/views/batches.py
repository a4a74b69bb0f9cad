"""Batch endpoints: one script for many rows, its progress, and its results as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.moderation import checks
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.parsers import StrictFormParser, StrictJSONParser
from genvid.api.serializers import EXAMPLE_REQUEST_ID, EXAMPLE_SITE
from genvid.api.viewsets import ListMixin, RetrieveMixin
from videos.batches import batch_actions, batch_results
from videos.models import Batch
from videos.representations import BatchOutput, represent_batches
from videos.serializers.batches import BatchFormInput, BatchInput, BatchQuoteOutput
from videos.views.base import RenderedViewSet
from videos.views.videos import SPENDS


class BatchJSONParser(StrictJSONParser):
    max_bytes = settings.BATCH_MAX_BODY_BYTES


class BatchFormParser(StrictFormParser):
    max_bytes = settings.BATCH_MAX_BODY_BYTES


REQUEST_ID = OpenApiParameter(
    "X-Request-Id",
    location=OpenApiParameter.HEADER,
    description="The request's name in our logs and in the answer: 1 to 64 of `A-Za-z0-9._-`. "
    f"For example `{EXAMPLE_REQUEST_ID}`.",
)
RESULTS = OpenApiResponse(
    OpenApiTypes.STR,
    description="A line for each row.",
    examples=[
        OpenApiExample("One row", f"row,name,status,file_url\n1,Ada,completed,{EXAMPLE_SITE}/api/v1/videos/…/file\n")
    ],
)
REQUEST = {"application/json": BatchInput, "multipart/form-data": BatchFormInput}
PARSERS = (BatchJSONParser, BatchFormParser)


class BatchViewSet(ListMixin, RetrieveMixin, RenderedViewSet):
    tag = "Batches"
    queryset = Batch.objects.all()
    endpoints = {
        "quote": Endpoint(
            "quote_batch",
            scope=Scope.VIDEOS_READ,
            request=REQUEST,
            parsers=PARSERS,
            response=BatchQuoteOutput,
            # Code of openapi-python-client imports only if an operation has an optional parameter.
            parameters=(REQUEST_ID,),
            errors=("content_refused",),
        ),
        "create": Endpoint(
            "create_batch",
            scope=Scope.VIDEOS_WRITE,
            verified_email=True,
            request=REQUEST,
            parsers=PARSERS,
            response=BatchOutput,
            status=201,
            idempotency=Idempotency.ATOMIC,
            errors=SPENDS,
        ),
        "list": Endpoint(
            "list_batches", "List the batches", scope=Scope.VIDEOS_READ, response=BatchOutput, many=True, etag=True
        ),
        "retrieve": Endpoint("get_batch", "Show a batch", scope=Scope.VIDEOS_READ, response=BatchOutput, etag=True),
        "cancel": Endpoint("cancel_batch", scope=Scope.VIDEOS_WRITE, response=BatchOutput, errors=("invalid_state",)),
        "results": Endpoint("get_batch_results", scope=Scope.VIDEOS_READ, response=RESULTS, status=(200, "text/csv")),
    }

    def texts_to_check(self) -> Mapping[str, str]:
        if self.action not in ("create", "quote") or not checks.is_active():
            return {}
        return batch_actions.texts_of(**self.body)

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        return represent_batches(rows)

    @action(detail=False, methods=["post"])
    def quote(self, request: Request) -> Response:
        """Ask what a batch would cost.

        Changes nothing. Takes the same body as creating it.
        """
        return Response(asdict(batch_actions.quote_batch(self.caller, **self.body)))

    def create(self, request: Request) -> Response:
        """Create many videos from one script.

        Up to 1,000 rows fill the `{{variables}}` of script and title. Every row is checked before any is accepted.
        """
        batch = batch_actions.create_batch(self.caller, **self.body)
        return Response(self.represent_one(batch), status=201)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Cancel what is left of a batch."""
        return Response(self.represent_one(batch_actions.cancel_batch(self.get_object())))

    @action(detail=True, methods=["get"], url_path="results.csv")
    def results(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        """Get a batch's results as CSV."""
        batch = self.get_object()
        answer = StreamingHttpResponse(_as_csv(batch_results.pages_of(batch)), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="batch-{batch.pk}.csv"'
        answer["Cache-Control"] = "private, no-store"
        return answer


def _as_csv(pages: Iterator[list[list[str]]]) -> Iterator[bytes]:
    # Spreadsheets recognise UTF-8 only by its byte order mark.
    yield b"\xef\xbb\xbf"
    for page in pages:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(page)
        yield text.getvalue().encode()

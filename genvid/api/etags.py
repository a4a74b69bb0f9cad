"""Conditional GET: ETags of response data, and 304 for clients that have a current copy."""

import hashlib
from typing import Any

from django.utils.cache import get_conditional_response, patch_cache_control
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from orjson import Fragment
from rest_framework.request import Request
from rest_framework.response import Response

from genvid.api.renderers import Page, dump

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    location=OpenApiParameter.HEADER,
    description="The `ETag` of an answer that you have: 304 while it is still true. "
    'For example `"6c6f2a9d1b5e4f7a8c3d2e1f0a9b8c7d"`.',
)
UNCHANGED = OpenApiResponse(description="You have it already.")


def with_etag(request: Request, response: Response, *, max_age: int = 0) -> Response:
    """Set an ETag of the data, or answer 304. `max_age` is in seconds; 0 makes clients revalidate each time."""
    response.data, text = _written(response.data)
    etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    not_modified = get_conditional_response(request._request, etag=etag)
    answer = response
    if not_modified is not None and not_modified.status_code == 304:
        answer = Response(status=304, headers={n: v for n, v in response.items() if n != "Content-Type"})
    answer["ETag"] = etag
    if max_age:
        patch_cache_control(answer, private=True, max_age=max_age)
    else:
        patch_cache_control(answer, private=True, no_cache=True)
    return answer


def _written(data: Any) -> tuple[Any, bytes]:
    """The data with its JSON in its place, so that it is not written twice; and what the ETag is made of."""
    if isinstance(data, Page):
        page = Page(Fragment(dump(data.items)), data.meta)
        return page, dump([page.items, page.meta])
    text = dump(data)
    return Fragment(text), text

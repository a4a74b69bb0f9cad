"""Response headers, each described once as a component."""

from typing import Any

from genvid.api.serializers import EXAMPLE_REQUEST_ID, EXAMPLE_SITE

INTEGER, TEXT = {"type": "integer"}, {"type": "string"}


def _header(description: str, schema: dict[str, Any], example: Any, *, always: bool = False) -> dict[str, Any]:
    found = {"description": description, "schema": schema, "example": example}
    return found | {"required": True} if always else found


HEADERS = {
    "X-Request-Id": _header(
        "The request's name in our logs: yours, if you sent one of 1 to 64 of `A-Za-z0-9._-`.",
        TEXT | {"pattern": "^[A-Za-z0-9._-]{1,64}$"},
        EXAMPLE_REQUEST_ID,
        always=True,
    ),
    "RateLimit-Limit": _header("Requests that the present window allows.", INTEGER, 600),
    "RateLimit-Remaining": _header("Requests that are left of them.", INTEGER, 598),
    "RateLimit-Reset": _header("Seconds until the window ends.", INTEGER, 42),
    "Retry-After": _header("Seconds to wait before the same request may go well.", INTEGER, 2),
    "Idempotent-Replayed": _header(
        "`true`: this is the stored answer to an earlier request with the same `Idempotency-Key`.",
        TEXT | {"enum": ["true"]},
        "true",
    ),
    "ETag": _header("Send it back as `If-None-Match`.", TEXT, '"6c6f2a9d1b5e4f7a8c3d2e1f0a9b8c7d"', always=True),
    "Location": _header(
        "Where the file is, for a short time.",
        TEXT | {"format": "uri-reference"},
        f"{EXAMPLE_SITE}/media/signed/eyJ2IjoidmlkZW8ubXA0In0/video.mp4",
        always=True,
    ),
    "Preference-Applied": _header("How long the answer was ready to wait.", TEXT, "wait=30"),
    "WWW-Authenticate": _header("The scheme to authenticate by.", TEXT, 'Bearer realm="api"', always=True),
}
ALWAYS = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
BY_STATUS = {
    "302": ("Location",),
    "401": ("WWW-Authenticate",),
    "409": ("Retry-After",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}


def headers(status: str, *more: str) -> dict[str, Any]:
    names = [*ALWAYS, *BY_STATUS.get(status, ()), *more]
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}

"""Whether the bucket permits the site's own pages to read files and to send them: a new bucket permits neither."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage

from genvid.doctor.checks import Finding, check, ok, warning
from genvid.http import send

SECONDS = 10.0
METHODS = {"GET": "read files", "POST": "send files beyond 20 MB"}
ADVICE = "Make the CORS rule of docs/production.md, Pages of other origins: PUBLIC_URL is one of them to a bucket."


@check("storage", seconds=25, advice="Check S3_ENDPOINT_URL, and that this machine reaches it.", outside=True)
def ask_bucket_rules() -> Iterator[Finding]:
    if not settings.S3_BUCKET:
        return
    refused = [words for method, words in METHODS.items() if not permits(method)]
    if refused:
        yield warning(f"the bucket does not let pages of this site {' and '.join(refused)}", ADVICE)
    else:
        yield ok("the bucket lets pages of this site read and send files")


def permits(method: str) -> bool:
    """As a browser asks it. Raises HttpError."""
    site = urlsplit(settings.PUBLIC_URL)
    asked = {"Origin": f"{site.scheme}://{site.netloc}", "Access-Control-Request-Method": method}
    if method == "GET":
        asked["Access-Control-Request-Headers"] = "range"
    answer = send("OPTIONS", _address(), timeout=SECONDS, allow_private=True, headers=asked)
    return answer.status < 300 and answer.headers.get("Access-Control-Allow-Origin") in ("*", asked["Origin"])


def _address() -> str:
    storage: Any = default_storage
    signed = storage.connection.meta.client.generate_presigned_post(storage.bucket_name, "probes/rules")
    return str(signed["url"])

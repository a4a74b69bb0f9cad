"""The error codes of an operation, from its endpoint's declarations; and the catalogue of all codes."""

from collections.abc import Iterable, Iterator
from typing import Any

from genvid import errors
from genvid.api.endpoints import Endpoint
from genvid.api.exceptions import error_object
from genvid.api.schema.headers import headers
from genvid.api.serializers import EXAMPLE_REQUEST_ID, EXAMPLE_SITE

ERROR_CODE = "ErrorCode"
IDEMPOTENCY_CODES = frozenset({"idempotency_in_progress", "idempotency_key_reused"})


def _kinds(kind: type[errors.DomainError] = errors.DomainError) -> Iterator[type[errors.DomainError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)


def catalogue() -> dict[str, type[errors.DomainError]]:
    found = {kind.code: kind for kind in _kinds()}
    return dict(sorted(found.items(), key=lambda item: (item[1].status, item[0])))


def codes_of(endpoint: Endpoint, path: str, *, may_have_body: bool) -> set[str]:
    found = {"validation_error", "rate_limited", "provider_unavailable", *endpoint.errors}
    if endpoint.scope:
        found |= {"not_authenticated", "permission_denied"}
    if endpoint.optional_authentication:
        found.add("not_authenticated")
    if endpoint.verified_email:
        found.add("email_not_verified")
    if "{" in path:
        found.add("not_found")
    if may_have_body:
        found |= {"parse_error", "payload_too_large", "unsupported_media_type"}
    return found | IDEMPOTENCY_CODES if endpoint.is_idempotent else found


def placeholders(codes: Iterable[str]) -> dict[str, dict[str, Any]]:
    by_status: dict[str, list[str]] = {}
    known = catalogue()
    for code in sorted(codes):
        by_status.setdefault(str(known[code].status), []).append(code)
    return {status: {"x-codes": by_status[status]} for status in sorted(by_status)}


def share(document: dict[str, Any], operations: Iterable[dict[str, Any]]) -> None:
    shared = document["components"].setdefault("responses", {})
    for operation in operations:
        for status, answer in operation["responses"].items():
            if "x-codes" in answer:
                name = "Or".join(_pascal(code) for code in answer["x-codes"])
                shared.setdefault(name, _response(status, answer["x-codes"]))
                operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}


def _pascal(code: str) -> str:
    return code.title().replace("_", "")


def _response(status: str, codes: list[str]) -> dict[str, Any]:
    known = catalogue()
    return {
        "description": "\n".join(f"`{code}`: {known[code].message}" for code in codes),
        "headers": headers(status),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ErrorEnvelope"},
                "examples": {code: {"value": example(code)} for code in codes},
            }
        },
        "x-codes": codes,
    }


def example(code: str) -> dict[str, Any]:
    details = {"script": "This field is required."} if code == "validation_error" else None
    error = error_object(catalogue()[code](details=details)) | {"doc_url": f"{EXAMPLE_SITE}/docs/errors#{code}"}
    return {"success": False, "error": error, "meta": {"request_id": EXAMPLE_REQUEST_ID}}


def error_code_schema() -> dict[str, Any]:
    known = catalogue()
    lines = [f"| `{code}` | {kind.status} | {kind.message} |" for code, kind in known.items()]
    return {
        "type": "string",
        "enum": list(known),
        "description": "\n".join(["What to branch on. New ones may come.", "", "| code | status | |", "|---|---|---|"])
        + "\n"
        + "\n".join(lines),
    }

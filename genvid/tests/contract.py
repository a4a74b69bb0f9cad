"""The OpenAPI document as tests look at it."""

from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import Any

import jsonschema_rs
from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator

from genvid.api.endpoints import Endpoint

METHODS = ("get", "post", "put", "patch", "delete")
Document = dict[str, Any]
_making = Lock()


def document() -> Document:
    # drf-spectacular cannot make two at once, and tests have requests in parallel.
    with _making:
        return _document()


@cache
def _document() -> Document:
    found: Document = SchemaGenerator().get_schema(public=True)
    return found


def operations() -> list[tuple[str, str, Document]]:
    """Method, path and operation."""
    return [
        (method, path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def operations_of_viewsets() -> Iterator[tuple[str, str, Endpoint]]:
    """Method, path and declaration of whatever is served under /api/v1/, the pages about the API left out."""
    prefix = next(each for each in get_resolver().url_patterns if str(each.pattern) == "api/v1/")
    apps = [each for each in prefix.url_patterns if not isinstance(each, URLPattern)]
    for route in (route for app in apps for route in app.url_patterns):
        for method, action in route.callback.actions.items():
            if method in METHODS:
                yield method, documented_path(str(route.pattern)), route.callback.cls.endpoints[action]


def documented_path(pattern: str) -> str:
    """`videos/<uuid:pk>` as the document calls it."""
    words = [word.strip("<>").partition(":")[2] if word.startswith("<") else "" for word in pattern.split("/")]
    names = ["{" + ("id" if word == "pk" else word) + "}" for word in words]
    parts = [name if word else part for part, word, name in zip(pattern.split("/"), words, names, strict=True)]
    return f"/api/v1/{'/'.join(parts)}"


def resolved(answer: Document) -> Document:
    """An answer, itself or the shared one that it refers to."""
    if "$ref" not in answer:
        return answer
    shared: Document = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return shared


def examples_of(operation: Document) -> Iterator[tuple[str, Document]]:
    """Where in the operation an example belongs, and the part that should have it."""
    for parameter in operation.get("parameters", ()):
        yield parameter["name"], parameter
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {kind}", content
    for status, answer in operation["responses"].items():
        for kind, content in resolved(answer).get("content", {}).items():
            yield f"{status} {kind}", content


@cache
def _validator(method: str, path: str, status: str) -> Any:
    answer = resolved(document()["paths"][path][method]["responses"][status])
    schema = answer["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(schema | {"components": document()["components"]})


def check_against_document(method: str, path: str, response: Any) -> None:
    """The answer of this operation is one that the document describes."""
    status = str(response.status_code)
    answers = document()["paths"][path][method]["responses"]
    assert status in answers, f"{method} {path} answered {status}, which is not described: {response.content!r}"
    if response.get("Content-Type") == "application/json":
        body = response.json()
        _validator(method, path, status).validate(body)
        if status[0] in "45":
            code, codes = body["error"]["code"], resolved(answers[status])["x-codes"]
            assert code in codes, f"{method} {path} answered {code}, and the document knows {codes}"


def check_described(response: Any) -> None:
    """The same for whatever a test client got, if it is an operation's answer. Nothing plans to fail: not for a 500."""
    if not response.request["PATH_INFO"].startswith("/api/v1/") or response.status_code == 500:
        return
    route = response.resolver_match.route
    path, method = documented_path(route.removeprefix("api/v1/")), response.request["REQUEST_METHOD"].lower()
    if method in document()["paths"].get(path, {}):
        check_against_document(method, path, response)

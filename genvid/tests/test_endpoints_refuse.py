"""Refusals of every endpoint: wrong methods, unknown names, malformed bodies. Nothing changes by them."""

import json
from typing import Any

import pytest

from genvid.tests import router
from genvid.tests.asserts import nothing_changes, refusal_of
from genvid.tests.callers import Asker, World
from genvid.tests.endpoint_table import TABLE, body_of
from genvid.tests.router import Operation, operations, wrong_methods

pytestmark = pytest.mark.django_db
WRITING = [each for each in operations() if each.method != "GET"]
JSON = "application/json"
TOO_MUCH = b'{"name": "' + b"x" * 6 * 1024 * 1024 + b'"}'
"""A body larger than any endpoint takes."""
NO_OBJECTS = (b"[]", b"[{}]", b'"text"', b"5", b"true", b"null")
NO_JSON = (b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": "\xff"}')
OTHER_KINDS = ("text/plain", "application/x-www-form-urlencoded", "application/xml")

Refusal = tuple[int, str, list[str]]


@pytest.fixture
def asker(world: World) -> Asker:
    """The owner, so that permissions are not the reason of a refusal."""
    return world.askers["owner"]


def path_of(world: World, operation: Operation) -> str:
    return operation.path(world.ids[TABLE[str(operation)].of])


def refusal(answer: Any) -> Refusal:
    """Status, code, and the fields that are named."""
    assert answer.status_code >= 400, answer.status_code
    return *refusal_of(answer), sorted(answer.json()["error"].get("details", {}))


def sent(world: World, asker: Asker, operation: Operation, content: bytes, kind: str = JSON) -> Refusal:
    return refusal(asker.client.generic(operation.method, path_of(world, operation), content, content_type=kind))


@pytest.mark.parametrize("route", sorted({each.route for each in operations()}))
def test_every_endpoint_refuses_methods_that_it_does_not_offer(asker, route):
    with nothing_changes():
        for method, path in (each for each in wrong_methods() if each[1] == router.path_of(route)):
            answer = asker.client.generic(method, path)
            assert (method, *refusal_of(answer)) == (method, 405, "method_not_allowed")
            assert method not in answer["Allow"]


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_endpoint_refuses_an_unknown_query_parameter(world, asker, operation):
    content = json.dumps(body_of(world, asker, operation)).encode() if operation in WRITING else b""
    path = path_of(world, operation) + "?no_such_parameter=1"
    answer = asker.client.generic(operation.method, path, content, content_type=JSON)
    assert refusal(answer) == (400, "validation_error", ["no_such_parameter"])


@pytest.mark.parametrize("operation", WRITING, ids=str)
def test_every_endpoint_refuses_an_unknown_field(world, asker, operation):
    body = (body_of(world, asker, operation) or {}) | {"no_such_field": 1}
    answer = sent(world, asker, operation, json.dumps(body).encode())
    assert answer == (400, "validation_error", ["no_such_field"])


@pytest.mark.parametrize("operation", WRITING, ids=str)
def test_every_endpoint_refuses_a_body_that_cannot_be_parsed(world, asker, operation):
    with nothing_changes():
        no_objects = {content: sent(world, asker, operation, content)[::2] for content in NO_OBJECTS}
        no_json = {content: sent(world, asker, operation, content) for content in NO_JSON}
        others = {kind: sent(world, asker, operation, b"name=value", kind) for kind in OTHER_KINDS}
        too_large = sent(world, asker, operation, TOO_MUCH)
    assert no_objects == dict.fromkeys(NO_OBJECTS, (400, ["body"]))
    assert no_json == dict.fromkeys(NO_JSON, (400, "parse_error", []))
    assert others == dict.fromkeys(OTHER_KINDS, (415, "unsupported_media_type", []))
    assert too_large == (413, "payload_too_large", [])

"""Requests made up from the OpenAPI document: no answer is a 500, and each is one that the document describes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from genvid.tests.factories import Person, make_avatar, make_video
from genvid.wsgi import application

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]

config = schemathesis.Config.from_dict(
    {"generation": {"deterministic": True, "database": "none"}, "phases": {"coverage": {"enabled": False}}}
)
api = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True), config=config)
api.app = application


@pytest.fixture
def cast(owner: Person) -> dict[str, str]:
    """What exists: by these, half of the made-up ids are replaced."""
    video, avatar = make_video(owner, "draft"), make_avatar()
    return {"videos": str(video.pk), "avatars": str(avatar.pk), "voices": str(avatar.default_voice_id)}


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A server drops its connection after a request; here the test's transaction lives in it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def is_even(value: Any) -> bool:
    try:
        return UUID(str(value)).int % 2 == 0
    except ValueError:
        return False


def lead_to_rows(case: schemathesis.Case, cast: dict[str, str]) -> None:
    """Made-up ids exist nowhere: half of them become ids of rows that do."""
    room = case.path.split("/")[3]
    if room in cast and is_even((case.path_parameters or {}).get("id")):
        case.path_parameters["id"] = cast[room]
    if isinstance(case.body, dict):
        for name, kind in (("avatar_id", "avatars"), ("voice_id", "voices")):
            if is_even(case.body.get(name)):
                case.body[name] = cast[kind]


@api.parametrize()
@settings(max_examples=15, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_made_up_request_gets_an_answer_that_is_not_documented(case, owner, cast):
    lead_to_rows(case, cast)
    headers = {"Authorization": f"Bearer {owner.tokens.access_token}"}
    case.call_and_validate(headers=headers, checks=CHECKS)

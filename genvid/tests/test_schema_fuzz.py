"""Requests made up from the OpenAPI document: no answer is a 500, and each is one that the document describes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
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
def cast(owner: Person) -> dict[str, list[str]]:
    """What exists: by these, half of the made-up ids are replaced."""
    avatar = make_avatar()
    videos = [make_video(owner, status, avatar=avatar) for status in ("draft", "queued", "completed", "failed")]
    ids = {"videos": [str(video.pk) for video in videos]}
    return ids | {"avatars": [str(avatar.pk)], "voices": [str(avatar.default_voice_id)]}


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A server drops its connection after a request; here the test's transaction lives in it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def one_of(ids: list[str], made_up: Any) -> Any:
    """A made-up id exists nowhere: every other one becomes an id that does; what is no id stays as it is."""
    try:
        number = UUID(str(made_up)).int
    except ValueError:
        return made_up
    return made_up if number % 2 else ids[number // 2 % len(ids)]


def lead_to_rows(case: schemathesis.Case, cast: dict[str, list[str]]) -> None:
    room = case.path.split("/")[3]
    if room in cast and "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = one_of(cast[room], case.path_parameters["id"])
    if isinstance(case.body, dict):
        for name, ids in (("avatar_id", cast["avatars"]), ("voice_id", cast["voices"])):
            case.body |= {name: one_of(ids, case.body[name])} if name in case.body else {}


@api.parametrize()
@settings(max_examples=15, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_made_up_request_gets_an_answer_that_is_not_documented(case, owner, cast):
    lead_to_rows(case, cast)
    headers = {"Authorization": f"Bearer {owner.tokens.access_token}"}
    with transaction.atomic():
        case.call_and_validate(headers=headers, checks=CHECKS)
        transaction.set_rollback(True)

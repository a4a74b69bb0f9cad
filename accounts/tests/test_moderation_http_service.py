"""The outside service that is asked about texts by HTTP, over a real connection."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import run_checks

from accounts.models import ModeratedAccount, ReviewedText
from accounts.moderation import hook
from accounts.tests.moderation import refusal_of_texts
from genvid.errors import ProviderUnavailable
from genvid.tests.asserts import nothing_changes
from genvid.tests.scripted import Answer, ScriptedServer

pytestmark = pytest.mark.django_db
HOOK = "accounts.moderation.http_service.ask"


@pytest.fixture(autouse=True)
def no_failures_of_other_tests() -> Iterator[None]:
    hook._failures.since = None
    yield
    hook._failures.since = None


@pytest.fixture
def service(settings) -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        settings.MODERATION_HOOK, settings.MODERATION_HTTP_URL = HOOK, f"{server.url}/texts"
        settings.MODERATION_HTTP_SECRET = "a secret"
        settings.MODERATION_HOOK_TIMEOUT = 900.0
        yield server


def answers(service: ScriptedServer, said: Any, **how: Any) -> None:
    service.script.append(Answer(body=json.dumps(said).encode(), **how))


def test_the_service_gets_account_and_texts_as_json_with_the_secret(owner, service):
    answers(service, {"answers": {}})
    assert refusal_of_texts(owner, script="Hello.", title="Hi") is None
    (request,) = service.requests
    assert (request.method, request.path, request.headers["authorization"]) == ("POST", "/texts", "Bearer a secret")
    assert request.json == {"account_id": str(owner.account.pk), "texts": {"script": "Hello.", "title": "Hi"}}


def test_without_a_secret_none_is_sent(owner, service, settings):
    settings.MODERATION_HTTP_SECRET = ""
    answers(service, {"answers": {}})
    assert refusal_of_texts(owner, script="Hello.") is None
    assert "authorization" not in service.requests[0].headers


def test_what_the_service_refuses_is_refused_with_its_reason(owner, service):
    answers(service, {"answers": {"script": {"outcome": "refuse", "reason": "No bombs."}}})
    assert refusal_of_texts(owner, script="A bomb.", title="Hi") == {"script": "No bombs."}
    assert ModeratedAccount.objects.get().refusals == 1


def test_what_the_service_doubts_waits_for_staff(owner, service):
    answers(service, {"answers": {"script": {"outcome": "review", "reason": "Perhaps a bomb."}}})
    assert refusal_of_texts(owner, script="A bomb.") is not None
    assert ReviewedText.objects.get().why == "Perhaps a bomb."


FAILURES = {
    "another status": Answer(status=204),
    "an error": Answer(status=500, body=b'{"answers": {}}'),
    "a redirect": Answer(status=302, headers={"Location": "/elsewhere"}),
    "no JSON": Answer(body=b"<html>"),
    "a list": Answer(body=b"[]"),
    "no answers": Answer(body=b"{}"),
    "an answer without a reason": Answer(body=b'{"answers": {"script": {"outcome": "refuse"}}}'),
    "an unknown outcome": Answer(body=b'{"answers": {"script": {"outcome": "ban", "reason": "x"}}}'),
    "a field that was not asked": Answer(body=b'{"answers": {"other": {"outcome": "refuse", "reason": "x"}}}'),
    "no answer at all": Answer(hang_up=True),
}


@pytest.mark.parametrize("name", FAILURES)
def test_texts_pass_a_service_that_fails_open(owner, service, name):
    service.script.append(FAILURES[name])
    with nothing_changes():
        assert refusal_of_texts(owner, script="A bomb.") is None
    assert len(service.requests) == 1


@pytest.mark.parametrize("name", FAILURES)
def test_no_text_passes_a_service_that_fails_closed(owner, service, settings, name):
    settings.MODERATION_HOOK_FAILURE = "closed"
    service.script.append(FAILURES[name])
    with nothing_changes(), pytest.raises(ProviderUnavailable):
        refusal_of_texts(owner, script="A bomb.")


@pytest.mark.parametrize(("url", "ids"), [("", ["genvid.E047"]), ("https://texts.example.com/", [])])
def test_the_check_finds_a_missing_address(settings, url, ids):
    settings.MODERATION_HOOK, settings.MODERATION_HTTP_URL = HOOK, url
    assert [found.id for found in run_checks() if found.id == "genvid.E047"] == ids

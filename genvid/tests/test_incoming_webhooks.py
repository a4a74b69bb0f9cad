"""Shared by the webhooks of HeyGen and Stripe: bounded bodies, and refusals with a next step."""

from io import BytesIO

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import resolve
from limits import parse

from billing.stripe import webhook_endpoint
from billing.tests import stripe_events
from genvid.api.incoming_webhooks import BODY_LIMIT
from genvid.tests.asserts import nothing_changes, refusal_of

HEYGEN = "/webhooks/heygen/"


class LostConnection(BytesIO):
    """The body of a request whose sender has gone."""

    def read(self, *_: object) -> bytes:
        raise OSError("connection reset by peer")


def send(path: str, body: bytes = b"{}", **environ: object):
    return Client().post(path, body, content_type="application/json", **environ)


@pytest.fixture(params=["heygen", "stripe"])
def path(request, db) -> str:
    webhook_endpoint.save_endpoint("we_1", stripe_events.SECRET)
    return HEYGEN if request.param == "heygen" else stripe_events.path()


def test_a_method_that_no_webhook_takes_is_refused_with_those_it_takes(path):
    with nothing_changes():
        answer = Client().delete(path)
    assert refusal_of(answer) == (405, "method_not_allowed")
    assert answer["Allow"] == ("OPTIONS, GET, HEAD, POST" if path == HEYGEN else "POST")


@pytest.mark.parametrize("length", ["many", "-1", "1.5"])
def test_a_webhook_whose_length_is_no_number_is_refused(path, length):
    with nothing_changes():
        answer = send(path, CONTENT_LENGTH=length)
    assert refusal_of(answer) == (400, "parse_error")


def test_a_webhook_is_refused_by_its_announced_length_before_it_is_read(path):
    with nothing_changes():
        answer = send(path, CONTENT_LENGTH=str(BODY_LIMIT + 1), **{"wsgi.input": LostConnection()})
    assert refusal_of(answer) == (413, "payload_too_large")


def test_a_webhook_without_an_announced_length_is_bounded_too(path, rf):
    request = rf.post(path, content_type="application/json")
    request._body = b" " * (BODY_LIMIT + 1)
    view, args, kwargs = resolve(path)
    with nothing_changes():
        assert view(request, *args, **kwargs).status_code == 413


def test_a_webhook_whose_sender_goes_before_its_end_is_refused(path):
    with nothing_changes():
        answer = send(path, **{"wsgi.input": LostConnection()})
    assert refusal_of(answer) == (400, "parse_error")


def test_a_webhook_that_meets_a_busy_database_says_when_to_come_again(path):
    def refuse(*_: object) -> None:
        raise OperationalError("database is locked")

    with nothing_changes(), connection.execute_wrapper(refuse):
        answer = send(path)
    assert (refusal_of(answer), answer["Retry-After"]) == ((503, "provider_unavailable"), "2")


def test_a_forger_of_webhooks_is_told_when_to_come_again(path, settings):
    settings.RATE_LIMITS, settings.RATE_LIMIT_FORGED_WEBHOOKS = True, parse("1/hour")
    send(path)
    with nothing_changes():
        answer = send(path)
    assert refusal_of(answer) == (429, "rate_limited")
    assert 1 <= int(answer["Retry-After"]) <= 3600

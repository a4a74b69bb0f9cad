"""What leaves for Sentry, through the SDK into a transport that keeps it."""

import json
import logging

import pytest
import sentry_sdk
import structlog
from sentry_sdk.transport import Transport

from genvid import request_context
from genvid.observability import error_reports
from genvid.request_context import RequestContext
from genvid.tests.factories import JsonClient

SCRIPT = "Dear Ada, your secret offer is ready"
EMAIL = "ada@example.com"
logger = structlog.get_logger("genvid.tests")


class Kept(Transport):
    def __init__(self) -> None:
        super().__init__({})
        self.events = []

    def capture_envelope(self, envelope) -> None:
        self.events += [item.get_event() for item in envelope.items if item.get_event()]


@pytest.fixture
def reports(settings):
    settings.SENTRY_DSN = "https://key@sentry.invalid/1"
    transport = Kept()
    error_reports.start(transport)
    yield transport.events
    sentry_sdk.init(default_integrations=False)


def fail() -> None:
    script = SCRIPT
    raise ValueError(f"{script!r} of {EMAIL} is not good")


def test_an_error_line_is_reported_by_its_name_with_its_ids(reports):
    with request_context.use(RequestContext("a-request", video_id="a-video")):
        logger.error("order_not_sent", alarm="an_alarm", script=SCRIPT, error=f"for {EMAIL}")
    (event,) = reports
    assert (event["message"], event["level"]) == ("order_not_sent", "error")
    assert event["tags"] == {"request_id": "a-request", "video_id": "a-video", "alarm": "an_alarm"}


def test_a_warning_is_not_reported(reports):
    logger.warning("mail_retried_later")
    assert reports == []


@pytest.mark.parametrize("as_instance", [True, False])
def test_an_exception_is_reported_with_its_stack_and_without_its_text(reports, as_instance):
    try:
        fail()
    except ValueError as error:
        logger.error("went_wrong", exc_info=error if as_instance else True)
    (event,) = reports
    (exception,) = event["exception"]["values"]
    frames = exception["stacktrace"]["frames"]
    assert (exception["type"], "value" in exception, frames[-1]["function"]) == ("ValueError", False, "fail")
    assert [frame for frame in frames if "vars" in frame] == []


@pytest.mark.django_db
def test_a_request_that_fails_is_reported_once_and_nothing_of_what_was_sent(reports, settings):
    settings.ROOT_URLCONF = "genvid.tests.broken_urls"
    client = JsonClient("a-token-of-ada", raise_request_exception=False)
    headers = {"HTTP_IDEMPOTENCY_KEY": "a-key-of-ada", "HTTP_X_REQUEST_ID": "abc"}
    client.post(f"/broken-page?token=t0ken&email={EMAIL}", {"script": SCRIPT}, **headers)
    (event,) = reports
    assert (event["message"], event["tags"]["request_id"]) == ("request_failed", "abc")
    sent = json.dumps(event)
    assert [word for word in (SCRIPT, EMAIL, "a-token-of-ada", "a-key-of-ada", "t0ken") if word in sent] == []


def test_an_error_of_the_api_is_reported_by_its_exception(reports, settings, db):
    settings.ROOT_URLCONF = "genvid.tests.broken_urls"
    JsonClient(raise_request_exception=False).get("/api/v1/broken")
    assert [(event["message"], event["exception"]["values"][0]["type"]) for event in reports] == [
        ("unhandled_exception", "ZeroDivisionError")
    ]


def test_an_address_in_another_librarys_line_is_cut(reports):
    logging.getLogger("some.library").error("no mailbox <ada@example.com> for %s", SCRIPT)
    assert [event["message"] for event in reports] == ["no mailbox <[cut]> for %s"]

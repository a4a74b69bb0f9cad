"""No log contains a token of a link."""

import logging

import pytest
import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from genvid.media_links import signed_link
from genvid.redaction import AccessLogFilter, protect_access_log, without_tokens

TOKEN = "InZpZGVvcy8xL3ZpZGVvLm1wNCI:1vabc:Zm9vYmFy-_x"


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        (f"GET /media/{TOKEN}/video.mp4", "GET /media/[cut]/video.mp4"),
        (f"GET /media/{TOKEN.replace(':', '%3A')}/video.mp4?x=1", "GET /media/[cut]/video.mp4?x=1"),
        (f"https://genvid.example/media/{TOKEN}/video.mp4", "https://genvid.example/media/[cut]/video.mp4"),
        ("GET /?verify=abc.def", "GET /?verify=[cut]"),
        ("GET /?reset=abc&x=1", "GET /?reset=[cut]&x=1"),
        ("GET /?invitation=abc", "GET /?invitation=[cut]"),
        (
            "https://b.example/v.mp4?X-Amz-Date=1&X-Amz-Signature=ab",
            "https://b.example/v.mp4?X-Amz-Date=[cut]&X-Amz-Signature=[cut]",
        ),
        ("GET /api/v1/videos?status=failed&cursor=abc", "GET /api/v1/videos?status=failed&cursor=abc"),
        ("/app/var/media/videos/1/video.mp4", "/app/var/media/videos/1/video.mp4"),
    ],
)
def test_a_link_in_the_log_loses_its_token_and_nothing_else(line, cut):
    assert without_tokens(line) == cut


def lines(caplog) -> str:
    """The records of a test as the handler of this process writes them."""
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    (ours,) = [each for each in formatters if isinstance(each, structlog.stdlib.ProcessorFormatter)]
    return "\n".join(ours.format(record) for record in caplog.records)


@pytest.mark.django_db
def test_the_request_log_names_the_file_and_not_the_token(caplog):
    name = default_storage.save("videos/1/video.mp4", ContentFile(b"film"))
    link = signed_link(name)
    token = link.split("/media/")[1].split("/")[0]
    response = Client().get(link)
    assert (response.status_code, response.getvalue()) == (200, b"film")
    written = lines(caplog)
    assert (token in written, written.count("GET /media/[cut]/video.mp4")) == (False, 1)


def test_a_traceback_in_the_log_names_no_token(caplog):
    try:
        raise OSError(f"GET /media/{TOKEN}/video.mp4")
    except OSError:
        logging.getLogger("plain").exception("failed at /media/%s/video.mp4", TOKEN)
    written = lines(caplog)
    assert (TOKEN in written, "failed at /media/[cut]/video.mp4" in written) == (False, True)
    assert "OSError: GET /media/[cut]/video.mp4" in written


@pytest.mark.parametrize(
    ("given", "logged"),
    [
        ({"path": f"/media/{TOKEN}/video.mp4"}, {"path": "/media/[cut]/video.mp4"}),
        ({"path": "/", "query_string": "reset=abc&x=1"}, {"path": "/", "query_string": "reset=[cut]&x=1"}),
        (
            {"path": "/", "_h0": f"https://g.example/media/{TOKEN}/v.mp4"},
            {"path": "/", "_h0": "https://g.example/media/[cut]/v.mp4"},
        ),
        ({"path": "/healthz", "status": 200}, {"path": "/healthz", "status": 200}),
    ],
)
def test_the_servers_own_access_log_names_no_token(given, logged):
    record = logging.LogRecord("granian.access", logging.INFO, "", 0, "%(path)s", (given,), None)
    assert AccessLogFilter().filter(record) is True
    assert record.args == logged


def test_the_servers_access_log_is_filtered_once_however_often_logging_is_configured():
    protect_access_log()
    protect_access_log()
    filters = logging.getLogger("granian.access").filters
    assert [type(each) for each in filters] == [AccessLogFilter]

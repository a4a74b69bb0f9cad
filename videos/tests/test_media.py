"""Files of a completed video: stable addresses, signed links, and byte ranges."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from genvid.media_links import SALT, lasting_link, signed_link
from genvid.tests.asserts import nothing_changes, refusal_of
from genvid.tests.factories import make_video

pytestmark = pytest.mark.django_db
BYTES = b"0123456789"
PARTS = ["file", "thumbnail", "captions"]


@pytest.fixture
def video(owner):
    return make_video(owner, "completed")


@pytest.fixture
def link(db) -> str:
    """A link to a file of ten bytes."""
    return local(signed_link(default_storage.save("videos/ten/video.mp4", ContentFile(BYTES))))


@pytest.fixture
def opened(monkeypatch) -> Iterator[list[Any]]:
    """The stored files that were opened; any that is left open is closed after the test."""
    files, really_open = [], default_storage.open

    def note(name: str, mode: str) -> Any:
        files.append(really_open(name, mode))
        return files[-1]

    monkeypatch.setattr(default_storage, "open", note)
    yield files
    for file in files:
        file.close()


def local(url: str) -> str:
    return urlsplit(url).path


def address(video, part: str) -> str:
    return f"/api/v1/videos/{video.pk}/{part}"


def fetch(path: str, span: str | None = None, method: str = "get") -> tuple[Any, bytes]:
    """The answer and its bytes, to a client without credentials."""
    response = getattr(Client(), method)(path, headers={"Range": span} if span else {})
    body = response.getvalue() if response.streaming else response.content
    response.close()
    return response, body


# ── Stable addresses


@pytest.mark.parametrize("part", PARTS)
def test_the_stable_file_address_redirects_to_the_file(owner, video, part):
    response = owner.client.get(address(video, part))
    stored = "subtitles" if part == "captions" else part
    assert response.status_code == 302
    assert fetch(local(response["Location"]))[1] == f"the {stored}".encode()


def test_the_redirect_to_a_file_is_not_cached(owner, video):
    response = owner.client.get(address(video, "file"))
    assert (response["Cache-Control"], response.content) == ("private, no-store", b"")


def test_a_link_is_complete_and_ends_in_the_files_name(owner, video):
    parts = urlsplit(owner.client.get(address(video, "file"))["Location"])
    assert (f"{parts.scheme}://{parts.netloc}", parts.path.rpartition("/")[2]) == (
        "http://127.0.0.1:8000",
        "video.mp4",
    )


@pytest.mark.parametrize("status", ["draft", "queued", "rendering", "storing", "failed", "canceled"])
def test_a_video_that_was_not_made_has_no_file(owner, status):
    response = owner.client.get(address(make_video(owner, status), "file"))
    assert refusal_of(response) == (404, "not_found")


@pytest.mark.parametrize("part", PARTS)
def test_each_file_of_a_video_may_be_missing_alone(owner, part):
    video = make_video(owner, "completed", file="", thumbnail="", subtitles="")
    assert refusal_of(owner.client.get(address(video, part))) == (404, "not_found")


CAPTIONS = [
    ("", b"the subtitles", "application/x-subrip; charset=utf-8"),
    ("?format=srt", b"the subtitles", "application/x-subrip; charset=utf-8"),
    ("?format=vtt", b"WEBVTT", "text/vtt; charset=utf-8"),
]


@pytest.mark.parametrize(("query", "body", "content_type"), CAPTIONS)
def test_captions_are_served_in_the_requested_format(owner, query, body, content_type):
    name = default_storage.save("videos/ten/captions.vtt", ContentFile(b"WEBVTT"))
    video = make_video(owner, "completed", subtitles_vtt=name)
    response, found = fetch(local(owner.client.get(address(video, "captions") + query)["Location"]))
    assert (found, response["Content-Type"]) == (body, content_type)


@pytest.mark.parametrize("wanted", ["ass", "VTT", "json", "", "srt,vtt"])
def test_captions_in_another_format_are_refused(owner, video, wanted):
    with nothing_changes():
        response = owner.client.get(address(video, "captions") + f"?format={wanted}")
    assert refusal_of(response) == (400, "validation_error")
    assert response.json()["error"]["details"] == {"format": "Must be srt or vtt."}


@pytest.mark.parametrize("part", ["file", "thumbnail"])
def test_only_captions_have_formats(owner, video, part):
    assert refusal_of(owner.client.get(address(video, part) + "?format=vtt")) == (400, "validation_error")


@pytest.mark.parametrize("part", PARTS)
def test_another_account_gets_no_link(outsider, video, part):
    with nothing_changes():
        response = outsider.client.get(address(video, part))
    assert refusal_of(response) == (404, "not_found")
    assert "Location" not in response


@pytest.mark.parametrize("part", PARTS)
def test_teammates_and_viewers_get_a_link(owner, teammate, viewer, video, part):
    answers = [person.client.get(address(video, part)).status_code for person in (teammate, viewer)]
    assert answers == [302, 302]


# ── What a link serves


@pytest.mark.parametrize(
    ("part", "content_type"),
    [("file", "video/mp4"), ("thumbnail", "image/jpeg"), ("captions", "application/x-subrip; charset=utf-8")],
)
def test_a_file_has_its_content_type_and_name(owner, video, part, content_type):
    response, _ = fetch(local(owner.client.get(address(video, part))["Location"]))
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == (content_type, "nosniff")


def test_a_link_serves_the_whole_file(link):
    response, body = fetch(link)
    assert (response.status_code, body) == (200, BYTES)
    assert {name: response[name] for name in ("Content-Length", "Accept-Ranges", "Content-Disposition")} == {
        "Content-Length": "10",
        "Accept-Ranges": "bytes",
        "Content-Disposition": 'inline; filename="video.mp4"',
    }


def test_a_link_may_be_cached_for_its_lifetime(link, settings):
    settings.MEDIA_LINK_LIFETIME = 60
    assert fetch(link)[0]["Cache-Control"] == "private, max-age=60"


def test_a_large_file_arrives_whole(db):
    content = bytes(range(256)) * 3000
    name = default_storage.save("videos/large/video.mp4", ContentFile(content))
    assert fetch(local(signed_link(name)))[1] == content
    assert fetch(local(signed_link(name)), "bytes=1-")[1] == content[1:]


RANGES = [
    ("bytes=0-3", b"0123", "bytes 0-3/10"),
    ("bytes=4-4", b"4", "bytes 4-4/10"),
    ("bytes=9-9", b"9", "bytes 9-9/10"),
    ("bytes=0-9", BYTES, "bytes 0-9/10"),
    ("bytes=7-", b"789", "bytes 7-9/10"),
    ("bytes=0-", BYTES, "bytes 0-9/10"),
    ("bytes=7-99", b"789", "bytes 7-9/10"),
    ("bytes=7-9999999999999999999", b"789", "bytes 7-9/10"),
    ("bytes=-3", b"789", "bytes 7-9/10"),
    ("bytes=-10", BYTES, "bytes 0-9/10"),
    ("bytes=-99", BYTES, "bytes 0-9/10"),
    (" bytes=0-3 ", b"0123", "bytes 0-3/10"),
    ("Bytes=0-3", b"0123", "bytes 0-3/10"),
]


@pytest.mark.parametrize(("span", "body", "told"), RANGES)
def test_a_byte_range_is_served_alone(link, span, body, told):
    response, found = fetch(link, span)
    assert (response.status_code, found) == (206, body)
    assert (response["Content-Range"], response["Content-Length"]) == (told, str(len(body)))


@pytest.mark.parametrize("span", ["bytes=10-", "bytes=10-12", "bytes=9999999999999999999-", "bytes=-0"])
def test_a_byte_range_outside_the_file_is_a_416(link, span):
    response, found = fetch(link, span)
    assert (response.status_code, found, response["Content-Range"]) == (416, b"", "bytes */10")


WHOLE = [
    "bytes=5-2",
    "bytes=12-11",
    "bytes=0-1,4-5",
    "bytes=0-1, -1",
    "bytes=-",
    "bytes=",
    "bytes",
    "items=0-3",
    "bytes=a-b",
    "bytes=1-2-3",
]


@pytest.mark.parametrize("span", [*WHOLE, "bytes=--3", "bytes=+1-2", "bytes=1.5-2", f"bytes={'9' * 20}-"])
def test_a_malformed_or_multiple_range_gets_the_whole_file(link, span):
    response, found = fetch(link, span)
    assert (response.status_code, found, response["Content-Length"]) == (200, BYTES, "10")
    assert "Content-Range" not in response


@pytest.fixture
def validators(link) -> dict[str, str]:
    """ETag and Last-Modified of an answer."""
    response, _ = fetch(link)
    return {"etag": response["ETag"], "date": response["Last-Modified"]}


def ask(link: str, **headers: str) -> tuple[int, bytes]:
    response = Client().get(link, headers=headers)
    body = response.getvalue() if response.streaming else response.content
    response.close()
    return response.status_code, body


@pytest.mark.parametrize("span", [None, "bytes=0-3", "bytes=10-"])
def test_every_answer_with_a_file_has_the_same_etag_and_date(link, validators, span):
    response, _ = fetch(link, span)
    assert {"etag": response["ETag"], "date": response["Last-Modified"]} == validators


def test_another_file_of_the_same_name_has_another_etag(link, validators):
    Path(default_storage.path("videos/ten/video.mp4")).write_bytes(BYTES + b"more")
    assert fetch(link)[0]["ETag"] != validators["etag"]


@pytest.mark.parametrize(("header", "kind"), [("If-None-Match", "etag"), ("If-Modified-Since", "date")])
def test_a_client_that_has_the_file_gets_a_304(link, opened, validators, header, kind):
    response = Client().get(link, headers={header: validators[kind]})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", validators["etag"])
    assert "Cache-Control" in response
    assert [file.closed for file in opened] == [True] * len(opened)


def test_a_client_that_has_another_file_gets_the_current_one(link, validators):
    assert ask(link, **{"If-None-Match": '"other"'}) == (200, BYTES)
    assert ask(link, **{"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}) == (200, BYTES)


def test_a_file_precondition_that_does_not_hold_is_a_412(link, opened):
    assert ask(link, **{"If-Match": '"other"'}) == (412, b"")
    assert [file.closed for file in opened] == [True]


@pytest.mark.parametrize("kind", ["etag", "date"])
def test_if_range_with_the_current_etag_gets_the_range(link, validators, kind):
    assert ask(link, **{"Range": "bytes=7-", "If-Range": validators[kind]}) == (206, b"789")


@pytest.mark.parametrize("known", ['"other"', "Thu, 01 Jan 2015 00:00:00 GMT", "nonsense"])
def test_if_range_with_another_etag_gets_the_whole_file(link, known):
    assert ask(link, **{"Range": "bytes=7-", "If-Range": known}) == (200, BYTES)


def test_if_range_with_a_weak_etag_gets_the_whole_file(link, validators):
    assert ask(link, **{"Range": "bytes=7-", "If-Range": f"W/{validators['etag']}"}) == (200, BYTES)


def test_the_proxy_sends_the_file_where_the_settings_say_so(owner, video, settings, opened):
    settings.MEDIA_ACCEL_PREFIX = "/protected-media/"
    path = local(owner.client.get(address(video, "file"))["Location"])
    response, body = fetch(path, "bytes=0-3")
    assert (response.status_code, body, opened) == (200, b"", [])
    assert response["X-Accel-Redirect"] == f"/protected-media/{video.file.name}"
    assert (response["Content-Type"], response["Accept-Ranges"]) == ("video/mp4", "bytes")
    assert response["Content-Disposition"].startswith('inline; filename="')


def test_a_missing_file_behind_a_sending_proxy_is_a_404(settings, link):
    settings.MEDIA_ACCEL_PREFIX = "/protected-media/"
    default_storage.delete("videos/ten/video.mp4")
    assert refusal_of(fetch(link)[0]) == (404, "not_found")


def test_a_forged_link_behind_a_sending_proxy_is_a_404(settings, link):
    settings.MEDIA_ACCEL_PREFIX = "/protected-media/"
    response = fetch("/media/forged/video.mp4")[0]
    assert refusal_of(response) == (404, "not_found")
    assert "X-Accel-Redirect" not in response


def test_byte_ranges_put_together_are_the_file(link):
    assert b"".join(fetch(link, f"bytes={start}-{start + 2}")[1] for start in range(0, 10, 3)) == BYTES


@pytest.mark.parametrize(("span", "status", "length"), [(None, 200, "10"), ("bytes=0-3", 206, "4")])
def test_head_of_a_file_has_the_headers_of_get_without_a_body(link, opened, span, status, length):
    response, body = fetch(link, span, "head")
    assert (response.status_code, response["Content-Length"], body) == (status, length, b"")


def test_a_served_file_is_closed(link, opened):
    for span in (None, "bytes=0-3", "bytes=10-"):
        fetch(link, span)
    assert [file.closed for file in opened] == [True, True, True]


def test_a_file_whose_range_is_asked_by_head_is_closed(link, opened):
    fetch(link, "bytes=0-3", "head")
    assert [file.closed for file in opened] == [True]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_a_file_link_permits_only_get_and_head(link, method):
    response = getattr(Client(), method)(link)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_a_link_refuses_other_methods_in_the_envelope(link):
    assert refusal_of(Client().post(link)) == (405, "method_not_allowed")


# ── What a link does not serve


def test_a_link_works_for_its_lifetime(link, settings):
    alive = timedelta(seconds=settings.MEDIA_LINK_LIFETIME - 600)
    with time_machine.travel(timezone.now() + alive):
        assert fetch(link)[0].status_code == 200


@pytest.mark.parametrize(("age", "status"), [(timedelta(days=6, hours=23), 200), (timedelta(days=7, seconds=5), 404)])
def test_a_lasting_link_lives_for_a_week(db, age, status):
    lasting = local(lasting_link(default_storage.save("videos/ten/video.mp4", ContentFile(BYTES))))
    with time_machine.travel(timezone.now() + age):
        assert fetch(lasting)[0].status_code == status


def test_a_link_expires_after_its_lifetime(link, settings):
    late = timedelta(seconds=settings.MEDIA_LINK_LIFETIME + 5)
    with time_machine.travel(timezone.now() + late):
        response, _ = fetch(link)
    assert refusal_of(response) == (404, "not_found")


def test_a_link_to_a_removed_file_is_a_404(link):
    default_storage.delete("videos/ten/video.mp4")
    assert refusal_of(fetch(link)[0]) == (404, "not_found")


def token_of(link: str) -> str:
    return link.split("/")[2]


def tampered(token: str) -> dict[str, str]:
    payload, moment, signature = token.split(":")
    other = signing.dumps("videos/other/video.mp4", salt=SALT).split(":")
    return {
        "another payload": f"{other[0]}:{moment}:{signature}",
        "another moment": f"{payload}:{other[1]}x:{signature}",
        "no signature": f"{payload}:{moment}",
        "an empty signature": f"{payload}:{moment}:",
        "a letter more": f"{token}x",
        "a letter less": token[:-1],
        "another salt": signing.dumps("videos/ten/video.mp4", salt="another"),
        "no token": "x",
        "a path": "videos",
    }


@pytest.mark.parametrize("how", tampered("a:b:c"))
def test_a_tampered_link_is_a_404(link, how):
    token = tampered(token_of(link))[how]
    assert refusal_of(fetch(f"/media/{token}/video.mp4")[0]) == (404, "not_found")


@pytest.mark.parametrize("name", ["other.mp4", "..", "%2e%2e", "captions.srt", "video.mp", "video.mp4x", "Video.mp4"])
def test_a_link_under_another_file_name_is_a_404(link, name):
    default_storage.save("videos/ten/other.mp4", ContentFile(b"not yours"))
    assert refusal_of(fetch(f"/media/{token_of(link)}/{name}")[0]) == (404, "not_found")


@pytest.mark.parametrize("tail", ["../other.mp4", "a/b.mp4", "..%2Fother.mp4", ""])
def test_a_path_below_a_link_is_a_404(link, tail):
    assert fetch(f"/media/{token_of(link)}/{tail}")[0].status_code == 404


@pytest.mark.parametrize("name", ["a%0Ab.mp4", "a%0D%0Ab.mp4", "a%22b.mp4"])
def test_a_file_name_in_a_link_cannot_inject_headers(link, opened, name):
    client = Client(raise_request_exception=False)
    response = client.get(f"/media/{token_of(link)}/{name}")
    response.close()
    assert (response.status_code, "Content-Disposition" in response.headers) == (404, False)

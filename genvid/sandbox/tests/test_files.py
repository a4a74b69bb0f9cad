from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from genvid.sandbox.tests.sandbox_client import WAIT, Client


def test_a_link_is_presigned_and_needs_no_key(client: Client) -> None:
    url = client.finish()["video_url"]

    assert list(parse_qs(urlsplit(url).query)) == ["Expires", "Signature", "Key-Pair-Id"]
    assert httpx.get(url, timeout=WAIT, trust_env=False).content[4:8] == b"ftyp"


def test_a_link_dies_when_its_time_is_up(client: Client) -> None:
    client.sandbox.configure(link_lifetime=0)

    assert client.get(client.finish()["video_url"]).status_code == 403


def test_a_tampered_link_is_refused(client: Client) -> None:
    url = client.finish()["video_url"]

    assert client.get(url.replace("Expires=1", "Expires=2")).status_code == 403
    assert client.get(url.partition("?")[0]).status_code == 403


def test_the_setting_expired_links_gives_the_first_reads_dead_links(client: Client) -> None:
    client.sandbox.configure(expired_links=1)
    video = client.finish()

    fresh = client.data(f"/v3/videos/{video['id']}")

    assert (client.get(video["video_url"]).status_code, client.get(fresh["video_url"]).status_code) == (
        403,
        200,
    )


def test_a_range_of_a_video_can_be_downloaded(client: Client) -> None:
    url = client.finish()["video_url"]

    part = client.get(url, headers={"Range": "bytes=4-7"})

    assert (part.status_code, part.content) == (206, b"ftyp")


def test_a_truncated_download_breaks_off_once(client: Client) -> None:
    url = client.finish()["video_url"]
    client.sandbox.configure(truncate_downloads=1)

    with pytest.raises(httpx.TransportError):
        client.get(url)

    assert client.get(url).status_code == 200


def test_a_paused_download_goes_on_when_the_setting_is_lowered(client: Client) -> None:
    url = client.finish()["video_url"]
    whole = client.get(url).content
    client.sandbox.configure(download_seconds=3600)

    # Not the client's own stream: its check of every answer reads all of it first.
    with httpx.stream("GET", url, timeout=WAIT, trust_env=False) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        assert len(first) < len(whole) == int(answer.headers["content-length"])
        client.sandbox.configure(download_seconds=0)
        rest = b"".join(pieces)

    assert first + rest == whole


def test_previews_are_drawn_on_first_sight(client: Client) -> None:
    look = client.look()

    image = httpx.get(look["preview_image_url"], timeout=WAIT, trust_env=False)

    assert (image.status_code, image.headers["content-type"]) == (200, "image/jpeg")


def test_a_preview_of_nobody_is_missing(client: Client) -> None:
    assert client.get("/files/previews/nobody.jpg").status_code == 404
    assert client.get("/files/previews/ava.exe").status_code == 404


def test_a_preview_path_cannot_leave_its_folder(client: Client) -> None:
    assert client.get("/files/previews/..%2F..%2Fsandbox.sqlite3").status_code == 403

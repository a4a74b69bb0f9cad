"""Test mode: orders with the test key are free, watermarked, and get a stand-in for an unknown avatar or voice."""

import io
from collections.abc import Iterator
from hashlib import sha256

import av
import pytest
from PIL import Image

from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.renderer.watermark import Watermark
from genvid.sandbox.tests.sandbox_client import Client

UNKNOWN = "Some_HeyGen_avatar_public"


@pytest.fixture
def unpaid_client(sandbox: SandboxProcess) -> Iterator[Client]:
    with Client(sandbox) as client:
        client.headers["X-Api-Key"] = sandbox.test_key
        yield client


def film_of(client: Client, **fields: str) -> bytes:
    content = client.get(client.finish(**fields)["video_url"]).content
    return bytes(content)


def colours_of(picture: Image.Image) -> set[object]:
    return {colour for _, colour in picture.getcolors(picture.width * picture.height) or []}


def first_picture(film: bytes) -> Image.Image:
    with av.open(io.BytesIO(film)) as container:
        return next(container.decode(video=0)).to_image()


def test_the_same_script_is_marked_with_the_test_key_alone(client: Client, unpaid_client: Client) -> None:
    live, test = (first_picture(film_of(each, script="The very same words.")) for each in (client, unpaid_client))

    assert len(colours_of(live)) < 10 < len(colours_of(test))


def test_an_order_in_test_mode_costs_nothing(client: Client, unpaid_client: Client) -> None:
    before = client.sandbox.records()["wallet"]
    unpaid_client.finish()
    free = client.sandbox.records()["wallet"]
    client.finish()

    assert free == before
    assert client.sandbox.records()["wallet"] < before


def test_an_avatar_and_a_voice_that_are_not_here_get_stand_ins(unpaid_client: Client) -> None:
    video = unpaid_client.finish(avatar_id=UNKNOWN, voice_id="f38a635bee7a4d1f9b0a654a31d050d2")

    assert video["status"] == "completed"


def test_the_same_name_always_gets_the_same_stand_in(unpaid_client: Client) -> None:
    films = [film_of(unpaid_client, avatar_id=UNKNOWN, script="Who am I today?") for _ in range(2)]

    assert sha256(films[0]).digest() == sha256(films[1]).digest()


def test_the_live_key_gets_no_stand_ins(client: Client) -> None:
    assert client.refusal(avatar_id=UNKNOWN) == (404, "avatar_not_found", None)


def test_an_empty_wallet_stops_no_order_in_test_mode(unpaid_client: Client) -> None:
    unpaid_client.sandbox.wallet(0)

    assert unpaid_client.finish()["status"] == "completed"


def test_a_watermark_covers_the_middle_and_leaves_the_picture_itself_alone() -> None:
    picture = Image.new("RGB", (320, 180), "#336699")

    marked = Watermark("TEST", *picture.size).over(picture)

    assert colours_of(picture) == {(0x33, 0x66, 0x99)}
    assert len(colours_of(marked.crop((120, 60, 200, 120)))) > 1


def test_an_empty_watermark_leaves_the_picture_as_it_is() -> None:
    picture = Image.new("RGB", (320, 180), "#336699")

    assert Watermark("", *picture.size).over(picture) is picture

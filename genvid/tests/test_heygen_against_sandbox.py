"""Every method of the HeyGen client, over real HTTP, against the sandbox."""

import io
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from genvid.heygen.heygen_client import HeyGenClient, get_client
from genvid.heygen.heygen_errors import Busy, LinkExpired, NotFound, OperatorProblem, Refused, Unknown
from genvid.heygen.heygen_types import Background, ProviderAccount, RemoteVideo, RenderSpec, RenderState, Submission
from genvid.heygen.webhook_signature import parse, verify
from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.tests.receiver import Receiver

PATIENCE_SECONDS = 900.0


@pytest.fixture
def client(sandbox: SandboxProcess) -> HeyGenClient:
    return get_client()


@pytest.fixture
def spec(client: HeyGenClient) -> RenderSpec:
    look = next(look for look in client.iter_looks() if look.default_voice_id)
    return RenderSpec(look.id, "A short sentence.", "genvid marker-1", look.default_voice_id, engine=look.engines[0])


def create(client: HeyGenClient, spec: RenderSpec, key: str = "key-1") -> Submission:
    return client.create_video(spec, idempotency_key=key, callback_id="ours-1")


def wait_for(client: HeyGenClient, video_id: str, **options) -> RemoteVideo:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        video = client.get_video(video_id, **options)
        if video.state.is_final:
            return video
        time.sleep(0.05)
    raise AssertionError(f"{video_id} did not finish")


def fetch(client: HeyGenClient, url: str, sink: io.BytesIO, **options):
    return client.download_media(url, sink, max_bytes=50_000_000, timeout=600, **options)


def test_a_video_is_made_and_fetched(client, spec):
    submission = create(client, spec)
    video = wait_for(client, submission.video_id)
    sink = io.BytesIO()
    done = fetch(client, video.file_url, sink, expected_types=["video/mp4"])
    assert (submission.raw_status, video.state, video.title) == ("waiting", RenderState.COMPLETED, spec.title)
    assert video.duration > 0
    assert done.bytes == len(sink.getvalue()) > 0


def test_a_video_has_its_captions_and_its_picture(client, spec):
    video = wait_for(client, create(client, spec).video_id)
    srt, picture = io.BytesIO(), io.BytesIO()
    fetch(client, video.subtitles_url, srt)
    assert fetch(client, video.thumbnail_url, picture).content_type.startswith("image/")
    assert "-->" in srt.getvalue().decode()


def test_every_option_that_we_have_is_taken(client, spec):
    background = Background("color", "#336699")
    full = replace(spec, format="9:16", resolution="720p", burn_captions=True, background=background, speed=1.2)
    video = wait_for(client, create(client, full).video_id, captioned=True)
    assert video.state is RenderState.COMPLETED
    assert video.file_url == video.captioned_file_url != video.plain_file_url


def test_an_interrupted_file_is_resumed(client, spec):
    url = wait_for(client, create(client, spec).video_id).file_url
    whole, rest = io.BytesIO(), io.BytesIO()
    first = fetch(client, url, whole)
    head = whole.getvalue()[:1000]
    second = fetch(client, url, rest, start=1000, etag=first.etag)
    assert second == first
    assert head + rest.getvalue() == whole.getvalue()


def test_the_same_key_makes_one_video(client, spec, sandbox):
    first, again = create(client, spec), create(client, spec)
    assert again == first
    assert [video.id for video in client.find_videos("marker-1")] == [first.video_id]


def test_a_lost_answer_is_made_good_with_the_same_key(client, spec, sandbox):
    sandbox.fault(kind="lost", method="POST", path="/v3/videos")
    with pytest.raises(Unknown) as caught:
        create(client, spec)
    made = create(client, spec)
    assert caught.value.sent is True
    assert [video.id for video in client.find_videos("marker-1")] == [made.video_id]


def test_statuses_come_for_many_at_once(client, spec, sandbox):
    made = create(client, spec).video_id
    wait_for(client, made)
    assert client.get_statuses([made, "no-such-video"]) == {
        made: RenderState.COMPLETED,
        "no-such-video": RenderState.NOT_FOUND,
    }


def test_titles_are_found_over_more_than_one_page(client, spec, sandbox):
    sandbox.configure(concurrency=200, stuck=True)
    made = {create(client, spec, key=f"key-{number}").video_id for number in range(101)}
    assert {video.id for video in client.find_videos("marker-1")} == made


def test_a_deleted_video_is_gone(client, spec):
    made = create(client, spec).video_id
    wait_for(client, made)
    assert [client.delete_video(made), client.delete_video(made)] == [True, False]
    with pytest.raises(NotFound) as caught:
        client.get_video(made)
    assert caught.value.code == "video_not_found"


def test_the_catalogue_is_whole_and_its_defaults_exist(client):
    looks, voices = list(client.iter_looks()), list(client.iter_voices())
    assert len({look.id for look in looks}) == len(looks) > 0
    assert len({voice.id for voice in voices}) == len(voices) > 0
    assert {look.default_voice_id for look in looks} <= {voice.id for voice in voices} | {None}


def test_the_wallet_is_read(client, sandbox):
    sandbox.wallet(12.5)
    assert client.get_account() == ProviderAccount("wallet", "usd", Decimal("12.5"))


def test_a_wrong_key_is_a_matter_for_staff(client, spec):
    with pytest.raises(OperatorProblem) as caught:
        create(replace(client, api_key="wrong"), spec)
    assert (caught.value.code, caught.value.status) == ("unauthorized", 401)
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("field", "value"), [("avatar_id", "no-such-look"), ("voice_id", "no-such-voice"), ("format", "21:9")]
)
def test_an_order_that_cannot_be_is_refused(client, spec, field, value):
    with pytest.raises(Refused):
        create(client, replace(spec, **{field: value}))
    assert list(client.find_videos("marker-1")) == []


def test_too_many_at_once_is_busy_and_says_how_long(client, spec, sandbox):
    sandbox.configure(concurrency=1, stuck=True, retry_after=7)
    create(client, spec)
    with pytest.raises(Busy) as caught:
        create(client, spec, key="key-2")
    assert (caught.value.code, caught.value.retry_after) == ("rate_limit_exceeded", 7.0)


@pytest.mark.parametrize("kind", ["html", "garbage", "drop"])
def test_nonsense_from_a_gateway_is_unknown(client, spec, sandbox, kind):
    sandbox.fault(kind=kind, method="POST", path="/v3/videos", status=502)
    with pytest.raises(Unknown):
        create(client, spec)


def test_an_empty_wallet_shows_only_when_the_video_is_read(client, spec, sandbox):
    sandbox.configure(failure_code="MOVIO_PAYMENT_INSUFFICIENT_CREDIT")
    video = wait_for(client, create(client, spec).video_id)
    assert video.state is RenderState.FAILED
    assert (video.failure.code, video.failure.operator_problem) == ("provider_problem", True)


def test_an_expired_link_is_read_again(client, spec, sandbox):
    sandbox.configure(expired_links=1)
    made = create(client, spec).video_id
    with pytest.raises(LinkExpired):
        fetch(client, wait_for(client, made).file_url, io.BytesIO())
    assert fetch(client, client.get_video(made).file_url, io.BytesIO()).bytes > 0


def test_webhooks_are_registered_listed_and_rotated(client, sandbox):
    with Receiver() as receiver:
        made = client.register_webhook(receiver.url, ["avatar_video.success", "avatar_video.fail"])
        listed = list(client.iter_webhooks())
        rotated = client.rotate_webhook_secret(made.id)
    assert listed == [replace(made, secret=None)]
    assert len({made.secret, rotated, None}) == 3


@pytest.mark.parametrize("mode", ["normal", "bare"])
def test_a_delivery_verifies_and_names_the_video(client, spec, sandbox, mode):
    sandbox.configure(webhooks=mode)
    with Receiver() as receiver:
        secret = client.register_webhook(receiver.url, ["avatar_video.success"]).secret
        made = create(client, spec).video_id
        wait_for(client, made)
        delivery = first_post(receiver)
    verify(delivery.body, delivery.headers, [secret], datetime.now(UTC))
    notice = parse(delivery.body, delivery.headers)
    assert (notice.event_type, notice.video_id, notice.callback_id) == ("avatar_video.success", made, "ours-1")


def first_post(receiver: Receiver):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not receiver.posts and time.monotonic() < deadline:
        time.sleep(0.02)
    return receiver.posts[0]

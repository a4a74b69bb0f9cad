"""Videos of pictures and with recordings, through the API and to the sandbox over real HTTP."""

import io
import json
import math
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from avatars.enums import UploadKind
from avatars.models import Upload, Voice
from avatars.uploads import references
from avatars.uploads.assets import asset_id_of
from avatars.uploads.intake import keep_file
from billing import credits
from genvid.heygen.heygen_client import get_client
from genvid.tests import heygen_assets, media_files
from genvid.tests.asserts import data_of, queries_of, wrong_fields_of
from genvid.tests.factories import (
    SCRIPT,
    make_avatar,
    make_key,
    make_speech,
    make_upload,
    make_video,
    make_voice,
    set_balance,
)
from videos.enums import SpeechStatus, Status, VideoKind
from videos.kinds import sounds
from videos.lifecycle import deletion
from videos.media import mp4
from videos.models import Batch, Speech, Video
from videos.tests.pipeline import Money, fresh, history, money_of

VIDEOS, QUOTE, BATCHES = "/api/v1/videos", "/api/v1/videos/quote", "/api/v1/batches"
AUDIO_SECONDS = 2.5
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def named(upload: Upload) -> dict[str, str]:
    return {"upload_id": str(upload.pk)}


@pytest.fixture
def picture(owner):
    return make_upload(owner)


@pytest.fixture
def recording(owner):
    return make_upload(owner, "audio")


@pytest.fixture
def voice():
    return make_voice()


@pytest.fixture
def speech(owner, voice):
    return make_speech(owner, voice_id=voice.pk)


def nothing_was_made(owner) -> bool:
    return not Video.objects.exists() and money_of(owner) == Money(balance=owner.wallet.balance)


# ── What is accepted


def test_a_picture_speaks_a_script_in_the_voice_that_is_named(owner, picture, voice):
    data = data_of(
        owner.client.post(VIDEOS, {"script": SCRIPT, "picture": named(picture), "voice_id": str(voice.pk)}), 201
    )
    shown = {
        "kind": "picture",
        "picture": named(picture),
        "avatar_id": None,
        "voice_id": str(voice.pk),
        "script": SCRIPT,
    }
    assert {name: data[name] for name in shown} == shown
    video = Video.objects.get()
    assert (video.engine, video.picture, video.avatar) == ("avatar_iv", picture, None)


def test_an_avatar_is_heard_with_a_recording(owner, recording):
    avatar = make_avatar()
    data = data_of(owner.client.post(VIDEOS, {"avatar_id": str(avatar.pk), "audio": named(recording)}), 201)
    shown = {"kind": "avatar", "audio": named(recording), "script": None, "voice_id": None, "speech_id": None}
    assert {name: data[name] for name in shown} == shown


def test_the_hold_of_a_recording_is_its_price_without_margin(owner, recording):
    avatar = make_avatar()
    data = data_of(owner.client.post(VIDEOS, {"avatar_id": str(avatar.pk), "audio": named(recording)}), 201)
    price = credits.price(engine="avatar_iv", avatar_kind=avatar.kind, resolution="1080p", seconds=AUDIO_SECONDS)
    assert data["credits"] == {"held": price, "charged": 0}


def test_a_speech_is_heard_with_its_words_and_price(owner, speech):
    avatar = make_avatar()
    data = data_of(owner.client.post(VIDEOS, {"avatar_id": str(avatar.pk), "speech_id": str(speech.pk)}), 201)
    shown = {"speech_id": str(speech.pk), "script": SCRIPT, "voice_id": str(speech.voice_id), "audio": None}
    assert {name: data[name] for name in shown} == shown
    assert data["credits"]["held"] == math.ceil(AUDIO_SECONDS)
    assert Video.objects.get().audio == speech.audio


@pytest.mark.parametrize(
    ("is_recorded", "duration", "charged"),
    [(True, "3.999", 3), (True, "4.000", 3), (True, "4.001", 5), (False, "3.999", 5)],
    ids=["a frame too long", "a second too long", "an overrun", "spoken"],
)
def test_a_render_of_a_recording_costs_what_was_held_up_to_a_second_more(is_recorded, duration, charged):
    video = Video(audio_id=uuid.uuid4() if is_recorded else None, estimated_seconds=3, credits_held=3)
    assert sounds.charged_of(video, 5, Decimal(duration)) == charged


def test_a_quote_of_a_recording_is_exact(owner, picture, recording):
    quote = data_of(owner.client.post(QUOTE, {"picture": named(picture), "audio": named(recording)}))
    assert (quote["credits"], quote["estimated_seconds"], quote["warnings"]) == (3, 3, [])


def test_an_upload_is_a_background(owner, picture):
    body = {"script": SCRIPT, "avatar_id": str(make_avatar().pk), "background": {"type": "image", **named(picture)}}
    data = data_of(owner.client.post(VIDEOS, body), 201)
    assert data["background"] == {"type": "image", **named(picture)}
    assert Video.objects.get().background_upload == picture


def test_a_video_without_uploads_asks_for_none(owner, picture, recording):
    avatar = str(make_avatar().pk)
    plain, recorded = {"avatar_id": avatar, "script": SCRIPT}, {"picture": named(picture), "audio": named(recording)}
    owner.client.post(QUOTE, plain)
    # One query finds both uploads, where the other finds avatar and voice.
    assert queries_of(lambda: owner.client.post(QUOTE, recorded)) == queries_of(lambda: owner.client.post(QUOTE, plain))


# ── What is refused


def body_of(field: str, upload_id: object) -> dict:
    reference = {"upload_id": str(upload_id)}
    body = {"script": SCRIPT, "avatar_id": str(make_avatar().pk)}
    if field == "picture":
        return {"script": SCRIPT, "voice_id": str(make_voice().pk), "picture": reference}
    if field == "audio":
        return {"avatar_id": body["avatar_id"], "audio": reference}
    return body | {"background": {"type": "image"} | reference}


KINDS = {"picture": "image", "audio": "audio", "background": "image"}
FIELDS = pytest.mark.parametrize("field", [*KINDS])


@FIELDS
@pytest.mark.parametrize("path", [VIDEOS, QUOTE])
def test_an_upload_of_another_account_is_not_there(owner, outsider, field, path):
    theirs = make_upload(outsider, KINDS[field])
    assert wrong_fields_of(owner.client.post(path, body_of(field, theirs.pk))) == [f"{field}.upload_id"]
    assert nothing_was_made(owner)


@FIELDS
@pytest.mark.parametrize(
    "changes",
    [
        {"is_test": True},
        {"status": "waiting"},
        {"deleted_at": LONG_AGO},
        {"origin": "speech"},
        {"kind": "video"},
    ],
    ids=["of a test key", "without its file", "deleted", "of a speech", "of another kind"],
)
def test_an_upload_that_cannot_be_used_is_refused_by_its_field(owner, field, changes):
    upload = make_upload(owner, KINDS[field])
    Upload.objects.filter(pk=upload.pk).update(**changes)
    assert wrong_fields_of(owner.client.post(VIDEOS, body_of(field, upload.pk))) == [f"{field}.upload_id"]
    assert nothing_was_made(owner)


@FIELDS
@pytest.mark.parametrize("value", ["", "no id", str(uuid.UUID(int=1)), None, 7])
def test_what_is_no_upload_is_refused_by_its_field(owner, field, value):
    body = body_of(field, uuid.uuid4())
    body[field]["upload_id"] = value
    assert wrong_fields_of(owner.client.post(VIDEOS, body)) == [f"{field}.upload_id"]
    assert nothing_was_made(owner)


def test_a_recording_of_more_than_ten_minutes_is_refused(owner):
    long = make_upload(owner, "audio", duration_seconds=Decimal("600.001"))
    assert wrong_fields_of(owner.client.post(VIDEOS, body_of("audio", long.pk))) == ["audio.upload_id"]
    assert nothing_was_made(owner)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": SpeechStatus.CREATING, "audio": None},
        {"status": SpeechStatus.FAILED, "audio": None},
        {"expires_at": LONG_AGO},
        {"audio": None},
        {"is_test": True},
    ],
    ids=["being made", "failed", "expired", "without audio", "of a test key"],
)
def test_a_speech_that_cannot_be_heard_is_refused(owner, speech, changes):
    Speech.objects.filter(pk=speech.pk).update(**changes)
    body = {"avatar_id": str(make_avatar().pk), "speech_id": str(speech.pk)}
    assert wrong_fields_of(owner.client.post(VIDEOS, body)) == ["speech_id"]
    assert nothing_was_made(owner)


@pytest.mark.parametrize(("seconds", "refused"), [("600.000", []), ("600.001", ["speech_id"])])
def test_a_speech_that_became_longer_than_ten_minutes_is_refused(owner, voice, seconds, refused):
    speech = make_speech(owner, voice_id=voice.pk)
    Upload.objects.filter(pk=speech.audio_id).update(duration_seconds=Decimal(seconds))
    answer = owner.client.post(QUOTE, {"avatar_id": str(make_avatar().pk), "speech_id": str(speech.pk)})
    assert (answer.status_code == 200, wrong_fields_of(answer) if refused else []) == (not refused, refused)


@pytest.mark.parametrize("path", [VIDEOS, QUOTE])
def test_a_speech_of_a_withdrawn_voice_is_refused(owner, speech, voice, path):
    Voice.objects.filter(pk=voice.pk).update(is_released=False)
    body = {"avatar_id": str(make_avatar().pk), "speech_id": str(speech.pk)}
    assert wrong_fields_of(owner.client.post(path, body)) == ["speech_id"]
    assert nothing_was_made(owner)


def test_a_draft_of_a_speech_whose_voice_was_withdrawn_is_not_generated(owner, speech, voice):
    draft = make_video(owner, Status.DRAFT, script=None, speech_id=speech.pk)
    Voice.objects.filter(pk=voice.pk).update(is_released=False)
    assert wrong_fields_of(owner.client.post(f"{VIDEOS}/{draft.pk}/generate")) == ["speech_id"]
    assert (fresh(draft).status, money_of(owner)) == (Status.DRAFT, Money(balance=owner.wallet.balance))


def test_a_speech_of_another_account_is_not_there(owner, outsider, speech):
    body = {"avatar_id": str(make_avatar().pk), "speech_id": str(speech.pk)}
    assert wrong_fields_of(outsider.client.post(VIDEOS, body)) == ["speech_id"]
    assert nothing_was_made(outsider)


@pytest.mark.parametrize("status", ["review", "queued", "creating", "waiting_for_consent", "failed", "refused"])
@pytest.mark.parametrize("field", ["avatar_id", "voice_id"])
def test_an_avatar_or_voice_that_is_not_ready_is_refused(owner, field, status):
    avatar, voice = make_avatar(), make_voice()
    body = {"script": SCRIPT, "avatar_id": str(avatar.pk), "voice_id": str(voice.pk)}
    row = avatar if field == "avatar_id" else voice
    type(row).objects.filter(pk=row.pk).update(status=status)
    assert wrong_fields_of(owner.client.post(VIDEOS, body)) == [field]
    assert nothing_was_made(owner)


@pytest.mark.parametrize("is_test", [True, False], ids=["made with a test key", "made live"])
@pytest.mark.parametrize("field", ["avatar_id", "voice_id"])
def test_what_a_customer_made_is_for_videos_of_its_mode_alone(owner, settings, field, is_test):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:1"
    avatar, voice = make_avatar(), make_voice()
    row = avatar if field == "avatar_id" else voice
    type(row).objects.filter(pk=row.pk).update(is_own=True, is_test=is_test, account=owner.account)
    body = {"script": SCRIPT, "avatar_id": str(avatar.pk), "voice_id": str(voice.pk)}
    live, test = owner.client, make_key(owner, mode="test").client
    right, wrong = (test, live) if is_test else (live, test)
    assert wrong_fields_of(wrong.post(VIDEOS, body)) == [field]
    assert nothing_was_made(owner)
    assert right.post(VIDEOS, body).status_code == 201


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": VideoKind.PICTURE},
        {"avatar": None},
        {"kind": VideoKind.PICTURE, "avatar": None},
        {"voice": None},
        {"script": None},
        {"script": None, "voice": None},
    ],
)
def test_the_database_keeps_no_video_without_what_its_kind_needs(owner, fields):
    video = make_video(owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        Video.objects.filter(pk=video.pk).update(**fields)


# ── Drafts and repetitions


def test_a_draft_changes_from_avatar_and_script_to_picture_and_recording(owner, picture, recording):
    draft = make_video(owner, Status.DRAFT)
    path = f"{VIDEOS}/{draft.pk}"
    data = data_of(owner.client.patch(path, {"picture": named(picture), "audio": named(recording)}))
    shown = {"kind": "picture", "picture": named(picture), "audio": named(recording), "avatar_id": None, "script": None}
    assert {name: data[name] for name in shown} == shown
    assert data_of(owner.client.post(f"{path}/generate"))["credits"]["held"] == 3


def test_a_draft_keeps_a_voice_for_its_picture(owner, picture):
    draft = make_video(owner, Status.DRAFT)
    data = data_of(owner.client.patch(f"{VIDEOS}/{draft.pk}", {"picture": named(picture)}))
    assert (data["kind"], data["voice_id"]) == ("picture", str(draft.voice_id))


@pytest.mark.parametrize("change", [{"avatar_id": None}, {"script": None}])
def test_a_draft_is_not_left_without_subject_or_sound(owner, change):
    draft = make_video(owner, Status.DRAFT)
    assert wrong_fields_of(owner.client.patch(f"{VIDEOS}/{draft.pk}", change)) == [*change]
    assert fresh(draft).updated_at == draft.updated_at


def test_a_draft_whose_upload_was_deleted_is_not_generated(owner, picture, voice):
    draft = make_video(owner, Status.DRAFT, avatar_id=None, picture={"upload_id": picture.pk}, voice_id=voice.pk)
    Upload.objects.filter(pk=picture.pk).update(deleted_at=timezone.now())
    assert wrong_fields_of(owner.client.post(f"{VIDEOS}/{draft.pk}/generate")) == ["picture.upload_id"]
    assert fresh(draft).status == Status.DRAFT


def test_a_failed_video_of_picture_and_recording_is_ordered_again(owner, picture, recording):
    request = {"avatar_id": None, "script": None}
    request |= {"picture": {"upload_id": picture.pk}, "audio": {"upload_id": recording.pk}}
    video = make_video(owner, Status.FAILED, **request)
    data = data_of(owner.client.post(f"{VIDEOS}/{video.pk}/retry"), 201)
    assert (data["picture"], data["audio"], data["retry_of"]) == (named(picture), named(recording), str(video.pk))


def test_a_failed_video_of_a_speech_is_ordered_again_with_it(owner, speech):
    video = make_video(owner, Status.FAILED, script=None, speech_id=speech.pk)
    data = data_of(owner.client.post(f"{VIDEOS}/{video.pk}/retry"), 201)
    assert (data["speech_id"], data["script"]) == (str(speech.pk), SCRIPT)


def test_uploads_of_videos_that_have_their_files_are_in_use(owner, picture, recording, speech):
    request = {"avatar_id": None, "script": None, "picture": {"upload_id": picture.pk}}
    video = make_video(owner, Status.COMPLETED, **request, audio={"upload_id": recording.pk})
    ids = [picture.pk, recording.pk, speech.audio_id, make_upload(owner).pk]
    assert references.used_of(ids) == {picture.pk, recording.pk, speech.audio_id}
    Video.objects.filter(pk=video.pk).update(deleted_at=timezone.now())
    Speech.objects.update(audio=None)
    assert references.used_of(ids) == set()


@pytest.mark.parametrize(("heard", "script"), [("script", ""), ("audio", None), ("speech_id", "")])
@pytest.mark.parametrize("status", [Status.DRAFT, Status.FAILED])
def test_a_deleted_video_of_any_sound_is_purged_and_frees_its_uploads(
    owner, picture, recording, speech, voice, heard, script, status
):
    heard_by = {
        "script": {"script": SCRIPT, "voice_id": voice.pk},
        "audio": {"audio": {"upload_id": recording.pk}},
        "speech_id": {"speech_id": speech.pk},
    }
    common = {"script": None, "avatar_id": None, "picture": {"upload_id": picture.pk}}
    video = make_video(owner, status, **common | heard_by[heard])
    assert owner.client.delete(f"{VIDEOS}/{video.pk}").status_code == 204

    deletion.purge_video(str(video.pk))

    video = fresh(video)
    assert (video.purged_at is not None, video.script) == (True, script)
    assert references.used_of([picture.pk, recording.pk]) == set()


# ── Batches


def rows_of_pictures(owner, count: int) -> list[dict[str, str]]:
    return [{"name": f"Person {number}", "photo": str(make_upload(owner).pk)} for number in range(count)]


def batch_of_pictures(voice, rows) -> dict:
    return {"script": "Hi {{name}}", "picture": {"upload_id": "{{photo}}"}, "voice_id": str(voice.pk), "rows": rows}


def test_each_row_of_a_batch_may_have_its_own_picture(owner, voice):
    rows = rows_of_pictures(owner, 2)
    batch = data_of(owner.client.post(BATCHES, batch_of_pictures(voice, rows)), 201)
    videos = Video.objects.order_by("batch_row")
    assert [str(video.picture_id) for video in videos] == [row["photo"] for row in rows]
    assert [video.script for video in videos] == ["Hi Person 0", "Hi Person 1"]
    assert (batch["picture"], batch["kind"]) == ({"upload_id": "{{photo}}"}, "picture")


def test_each_row_of_a_batch_may_have_its_own_avatar(owner):
    avatars = [make_avatar(), make_avatar()]
    rows = [{"face": str(avatar.pk)} for avatar in avatars]
    batch = data_of(owner.client.post(BATCHES, {"script": "Hi", "avatar_id": "{{face}}", "rows": rows}), 201)
    videos = Video.objects.order_by("batch_row")
    assert [(video.avatar_id, video.voice_id) for video in videos] == [
        (avatar.pk, avatar.default_voice_id) for avatar in avatars
    ]
    assert batch["avatar_id"] == "{{face}}"


def test_rows_with_wrong_pictures_are_named_and_none_is_accepted(owner, outsider, voice):
    rows = rows_of_pictures(owner, 1)
    rows += [{"name": "Ada", "photo": str(make_upload(outsider).pk)}, {"name": "Bo", "photo": "no id"}]
    rows += [{"name": "Cy", "photo": str(make_upload(owner, "audio").pk)}]
    wrong = wrong_fields_of(owner.client.post(BATCHES, batch_of_pictures(voice, rows)))
    assert wrong == ["rows.1.picture.upload_id", "rows.2.photo", "rows.3.picture.upload_id"]
    assert not Batch.objects.exists()
    assert nothing_was_made(owner)


def test_pictures_of_many_rows_are_read_by_one_query(owner, voice):
    set_balance(owner, 1_000)
    few, many = (batch_of_pictures(voice, rows_of_pictures(owner, count)) for count in (2, 20))
    quote = f"{BATCHES}/quote"
    owner.client.post(quote, few)
    assert queries_of(lambda: owner.client.post(quote, many)) == queries_of(lambda: owner.client.post(quote, few))


@pytest.mark.parametrize("field", ["audio", "speech_id"])
def test_a_recording_does_not_go_with_a_batch(owner, field, recording, speech):
    given = {"audio": named(recording), "speech_id": str(speech.pk)}[field]
    body = {"script": "Hi", "avatar_id": str(make_avatar().pk), "rows": [{"name": "Ada"}], field: given}
    assert wrong_fields_of(owner.client.post(BATCHES, body)) == [field]
    assert nothing_was_made(owner)


# ── To the sandbox and back


def keep(owner, content: bytes, kind: UploadKind) -> Upload:
    upload = keep_file(owner.account.pk, io.BytesIO(content), kind=kind, origin="customer")
    return Upload.objects.get(pk=upload.pk)


@pytest.fixture
def photo(owner):
    return keep(owner, media_files.picture("JPEG"), UploadKind.IMAGE)


@pytest.fixture
def sound(owner):
    return keep(owner, media_files.wav(AUDIO_SECONDS), UploadKind.AUDIO)


def sent_of(pipeline, video) -> dict:
    return json.loads(pipeline.remote_render(video)["job"])


def real_seconds(video) -> Decimal:
    with default_storage.open(video.file.name) as file:
        return mp4.inspect(file, video.file_bytes).duration_seconds


def test_a_photo_speaks_with_a_recording_and_costs_what_was_said(pipeline, owner, photo, sound):
    request = {"avatar_id": None, "script": None, "resolution": "720p"}
    request |= {"picture": {"upload_id": photo.pk}, "audio": {"upload_id": sound.pk}}
    ordered = pipeline.order(owner, **request)
    video = pipeline.run(ordered)

    assert abs(real_seconds(video) - Decimal(str(AUDIO_SECONDS))) < Decimal("0.2")
    assert video.credits_charged == ordered.credits_held == 3
    assert money_of(owner) == Money(balance=27, charges=1)
    assert pipeline.remote_render(video)["product"] == "image"
    assert Upload.objects.exclude(provider_asset_id="").count() == 2


def test_a_photo_speaks_a_script_before_a_background_of_its_own(pipeline, owner, photo):
    avatar = pipeline.avatar
    background = {"type": "image", "upload_id": str(photo.pk)}
    video = pipeline.run(pipeline.order(owner, background=background))
    assert sent_of(pipeline, video)["scenes"][0]["backdrop"]
    spoken = pipeline.run(
        pipeline.order(owner, avatar_id=None, picture={"upload_id": photo.pk}, voice_id=avatar.default_voice_id)
    )
    assert sent_of(pipeline, spoken)["scenes"][0]["image"]
    # One asset for both.
    assert Upload.objects.exclude(provider_asset_id="").count() == 1


def test_the_very_audio_of_a_speech_is_rendered(pipeline, owner, sound):
    speech = make_speech(owner, voice_id=pipeline.avatar.default_voice_id, audio=sound)
    Upload.objects.filter(pk=sound.pk).update(origin="speech")
    video = pipeline.run(pipeline.order(owner, None, speech_id=speech.pk))
    assert sent_of(pipeline, video)["scenes"][0]["audio"]
    assert video.credits_charged == 3


def test_an_upload_that_heygen_lost_is_sent_again_with_a_new_order(pipeline, owner, photo, sandbox):
    Upload.objects.filter(pk=photo.pk).update(provider_asset_id="gone", asset_key="used")
    request = {"avatar_id": None, "picture": {"upload_id": photo.pk}, "voice_id": pipeline.avatar.default_voice_id}
    video = pipeline.order(owner, **request)
    video = pipeline.run(video)
    assert ("submitting", "queued", "asset_not_found") in history(video)
    assert Upload.objects.get(pk=photo.pk).provider_asset_id != "gone"
    assert pipeline.count_renders(video) == 1


@pytest.mark.parametrize("kind", ["lost", "status"])
def test_an_answer_about_an_upload_that_does_not_come_makes_no_second_asset(pipeline, owner, photo, sandbox, kind):
    sandbox.fault(kind=kind, path="/v3/assets", **({"status": 500} if kind == "status" else {}))
    request = {"avatar_id": None, "picture": {"upload_id": photo.pk}, "voice_id": pipeline.avatar.default_voice_id}
    video = pipeline.run(pipeline.order(owner, **request))
    assert len(heygen_assets.names(sandbox)) == 1
    assert pipeline.count_renders(video) == 1
    assert money_of(owner).charges == 1


class OvertakenClient:
    """HeyGen's client, during whose call that sends a file another worker sends an order with that file."""

    def __init__(self, another: Callable[[], Any]) -> None:
        self.another = another

    def create_asset(self, *args: Any, **options: Any) -> str:
        self.another()
        return get_client().create_asset(*args, **options)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 409, "code": "request_in_progress"},
        {"status": 409, "code": "conflict"},
    ],
    ids=["429", "in progress", "conflict"],
)
def test_an_order_that_is_refused_while_another_worker_sends_its_file_is_made_later(
    pipeline, owner, photo, sandbox, fault
):
    request = {"avatar_id": None, "picture": {"upload_id": photo.pk}, "voice_id": pipeline.avatar.default_voice_id}
    video = pipeline.order(owner, **request)
    sandbox.fault(method="POST", path="/v3/assets", **fault)
    seen: list[str] = []
    asset_id = asset_id_of(photo, OvertakenClient(lambda: seen.append(pipeline.submit(video).status)))
    assert seen == ["queued" if fault["status"] == 429 else "submitting"]
    pipeline.run(video)
    assert heygen_assets.names(sandbox) == [f"{photo.pk}.jpg"]
    assert Upload.objects.get(pk=photo.pk).provider_asset_id == asset_id
    assert (pipeline.count_renders(video), money_of(owner).charges) == (1, 1)


def test_a_file_that_is_away_leaves_the_order_waiting(pipeline, owner, photo):
    with default_storage.open(photo.file.name) as file:
        content = file.read()
    default_storage.delete(photo.file.name)
    request = {"avatar_id": None, "picture": {"upload_id": photo.pk}, "voice_id": pipeline.avatar.default_voice_id}
    video = pipeline.submit(pipeline.order(owner, **request))
    assert video.status == Status.SUBMITTING
    default_storage.save(photo.file.name, io.BytesIO(content))
    assert pipeline.run(video).status == Status.COMPLETED

"""The request of a video: from a body, to columns and a batch's template, and back."""

import json
import uuid

import pytest

from genvid.tests.factories import SCRIPT, make_avatar, make_request, make_video
from videos.enums import Resolution, VideoFormat
from videos.models import Batch
from videos.serializers import VideoInput
from videos.video_request import NAMES, REQUIRED, VideoChanges, VideoRequest

pytestmark = pytest.mark.django_db
FULL = {
    "title": "Spring sale",
    "format": "9:16",
    "resolution": "720p",
    "language": "en",
    "captions": True,
    "background": {"type": "color", "value": "#112233"},
    "speed": 1.25,
    "metadata": {"order": "42"},
}


def read(body: dict) -> VideoRequest:
    serializer = VideoInput(data=body)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data["request"]


def test_a_body_without_optional_fields_has_the_defaults():
    avatar_id = make_avatar().pk
    assert read({"script": SCRIPT, "avatar_id": str(avatar_id)}) == VideoRequest(
        title="",
        script=SCRIPT,
        avatar_id=avatar_id,
        voice_id=None,
        format=VideoFormat.LANDSCAPE,
        resolution=Resolution.FULL_HD,
        language=None,
        captions=False,
        background=None,
        speed=1.0,
        metadata={},
    )


def test_a_request_of_nothing_is_told_to_name_script_and_avatar():
    assert VideoRequest().problems() == {"avatar_id": REQUIRED, "script": REQUIRED}


ID = uuid.UUID(int=7)
UPLOAD = {"upload_id": ID}
SCRIPTED, PICTURED = {"script": "Hello.", "avatar_id": ID}, {"script": "Hello.", "picture": UPLOAD, "voice_id": ID}


@pytest.mark.parametrize(
    "fields",
    [
        SCRIPTED,
        SCRIPTED | {"voice_id": ID, "language": "English", "speed": 1.2},
        PICTURED,
        {"avatar_id": ID, "audio": UPLOAD},
        {"picture": UPLOAD, "audio": UPLOAD, "captions": True},
        {"picture": UPLOAD, "speech_id": ID},
    ],
)
def test_one_subject_and_one_sound_make_a_request(fields):
    assert VideoRequest(**fields).problems() == {}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        (SCRIPTED | {"picture": UPLOAD}, ["picture"]),
        (SCRIPTED | {"audio": UPLOAD}, ["audio"]),
        (SCRIPTED | {"audio": UPLOAD, "speech_id": ID}, ["speech_id", "audio"]),
        ({"avatar_id": ID}, ["script"]),
        ({"script": "Hello."}, ["avatar_id"]),
        ({"script": "Hello.", "picture": UPLOAD}, ["voice_id"]),
        ({"avatar_id": ID, "audio": UPLOAD, "voice_id": ID}, ["voice_id"]),
        ({"avatar_id": ID, "speech_id": ID, "language": "English", "speed": 1.1}, ["language", "speed"]),
    ],
)
def test_what_does_not_go_together_is_named(fields, wrong):
    assert [*VideoRequest(**fields).problems()] == wrong


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (SCRIPTED | {"voice_id": ID}, {"audio": UPLOAD}, {"avatar_id": ID, "audio": UPLOAD}),
        ({"avatar_id": ID, "audio": UPLOAD}, {"script": "Hello."}, SCRIPTED),
        (SCRIPTED | {"voice_id": ID}, {"picture": UPLOAD}, PICTURED),
        (PICTURED, {"avatar_id": ID}, SCRIPTED),
        ({"avatar_id": ID, "audio": UPLOAD}, {"speech_id": ID}, {"avatar_id": ID, "speech_id": ID}),
        (SCRIPTED | {"speed": 1.2, "language": "English"}, {"speech_id": ID}, {"avatar_id": ID, "speech_id": ID}),
        (SCRIPTED | {"voice_id": ID}, {"title": "New"}, SCRIPTED | {"voice_id": ID, "title": "New"}),
    ],
)
def test_a_change_of_subject_or_sound_replaces_the_other(before, changes, after):
    assert VideoChanges(changes).applied_to(VideoRequest(**before)) == VideoRequest(**after)


@pytest.mark.parametrize("fields", [{}, FULL], ids=["least", "full"])
def test_the_request_read_back_from_a_video_equals_the_original(owner, fields):
    avatar = make_avatar()
    request = make_request(avatar_id=avatar.pk, voice_id=avatar.default_voice_id, **fields)
    video = make_video(owner, avatar=avatar, **fields)
    assert VideoRequest.of_video(video) == request


@pytest.mark.parametrize("fields", [{}, FULL], ids=["least", "full"])
def test_the_request_read_back_from_a_batch_template_equals_the_original(fields):
    request = make_request(voice_id=make_avatar().default_voice_id, **fields)
    kept = json.loads(json.dumps(request.batch_template()))
    batch = Batch(title=request.title, script=request.script, template=kept)
    found = VideoRequest.of_batch(batch)
    assert {name: getattr(found, name) for name in NAMES} == {name: getattr(request, name) for name in NAMES} | {
        "avatar_id": str(request.avatar_id),
        "voice_id": str(request.voice_id),
    }


def test_a_template_of_another_release_is_read_without_unknown_fields_and_with_defaults():
    kept = {"avatar_id": "a", "voice_id": "b", "speed": 1.2, "emotion": "glad"}
    batch = Batch(title="", script="Hi {{name}}", template=kept)
    assert VideoRequest.of_batch(batch) == VideoRequest(script="Hi {{name}}", avatar_id="a", voice_id="b", speed=1.2)


def test_a_new_avatar_takes_its_own_voice_unless_one_is_named():
    avatar = make_avatar()
    request = make_request(voice_id=avatar.default_voice_id)
    assert VideoChanges({"avatar_id": avatar.pk}).applied_to(request).voice_id is None
    named = VideoChanges({"avatar_id": avatar.pk, "voice_id": avatar.default_voice_id})
    assert named.applied_to(request).voice_id == avatar.default_voice_id

"""The request of a video: from a body, to columns and a batch's template, and back."""

import json

import pytest

from genvid.tests.factories import SCRIPT, make_avatar, make_request, make_video
from videos.enums import Resolution, VideoFormat
from videos.models import Batch
from videos.serializers import VideoInput
from videos.video_request import NAMES, VideoChanges, VideoRequest

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


def test_only_script_and_avatar_are_required():
    assert [name for name, field in VideoInput().fields.items() if field.required] == ["script", "avatar_id"]


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

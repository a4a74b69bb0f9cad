"""A customer's picture becomes a face that speaks with the customer's own voice, over real HTTP."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from avatars.models import Creation
from avatars.tests.own_entries import CONSENT, copies_of, fresh, run, step
from genvid.tests import media_files
from genvid.tests.asserts import data_of
from genvid.tests.factories import Person, make_caller
from videos.enums import Status
from videos.models import Video
from videos.tests.pipeline import Money, Pipeline, money_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def owner() -> Person:
    return make_caller(email="owner@example.com", balance=100)


def upload(owner: Person, name: str, content: bytes) -> str:
    file = SimpleUploadedFile(name, content)
    return data_of(owner.client.post("/api/v1/uploads", {"file": file}, format="multipart"), 201)["id"]


def made(owner: Person, path: str, **body: str) -> Creation:
    answer = owner.client.post(f"/api/v1/{path}", {"name": "Ada", "consent": CONSENT, **body})
    entry_id = data_of(answer, 202)["id"]
    one = {"avatar": entry_id} if path == "avatars" else {"voice": entry_id}
    return run(Creation.objects.get(**one))


@pytest.fixture
def face(pipeline: Pipeline, owner: Person) -> Creation:
    return made(owner, "avatars", kind="photo_avatar", upload_id=upload(owner, "ada.png", media_files.picture()))


@pytest.fixture
def own_voice(pipeline: Pipeline, owner: Person) -> Creation:
    recording = upload(owner, "ada.wav", media_files.wav())
    return made(owner, "voices", kind="clone", language="English", upload_id=recording)


def order(owner: Person, face: Creation, own_voice: Creation) -> Video:
    body = {"script": "Hello.", "avatar_id": str(face.entry_id), "voice_id": str(own_voice.entry_id)}
    answer = owner.client.post("/api/v1/videos", body | {"resolution": "720p"})
    return Video.objects.get(pk=data_of(answer, 201)["id"])


def test_a_picture_becomes_a_face_that_speaks_with_an_own_voice(pipeline, owner, face, own_voice):
    video = pipeline.run(order(owner, face, own_voice))
    assert video.status == Status.COMPLETED
    assert money_of(owner) == Money(70 - video.credits_charged, charges=3)


def test_a_face_that_is_deleted_during_a_render_stays_at_heygen_until_the_render_has_ended(
    pipeline, owner, face, own_voice
):
    pipeline.sandbox.configure(stuck=True)
    video = pipeline.submit(order(owner, face, own_voice))
    assert owner.client.delete(f"/api/v1/avatars/{face.entry_id}").status_code == 204
    step(face)
    assert len(copies_of(face)) == 1

    pipeline.sandbox.configure(stuck=False)
    pipeline.sandbox.complete(video.provider_video_id)
    assert pipeline.run(video).status == Status.COMPLETED
    step(face)
    assert copies_of(face) == []


def test_a_queued_video_of_a_deleted_face_costs_nothing(pipeline, owner, face, own_voice):
    video = order(owner, face, own_voice)
    owner.client.delete(f"/api/v1/avatars/{face.entry_id}")
    step(face)
    pipeline.tick()
    video.refresh_from_db()
    assert (video.status, video.error_code) == (Status.FAILED, "avatar_withdrawn")
    assert money_of(owner) == Money(70, charges=2)
    assert fresh(face).avatar.is_available is False

"""Every answer has exactly the fields that the OpenAPI document describes, in every status."""

from typing import Any

import pytest

from genvid.tests.asserts import data_of
from genvid.tests.contract import document
from genvid.tests.factories import make_video, make_voice, set_balance
from videos.enums import Status
from videos.models import Batch
from videos.tests.batches import BATCHES, fail_video, make_batch, payload_for, videos_of

pytestmark = pytest.mark.django_db
VIDEOS = "/api/v1/videos"


def described(name: str) -> set[str]:
    return set(document()["components"]["schemas"][name]["properties"])


@pytest.mark.parametrize("status", Status)
def test_a_video_has_the_fields_of_its_description(owner, status):
    video = make_video(owner, status)
    data = data_of(owner.client.get(f"{VIDEOS}/{video.pk}"))
    assert set(data) == described("Video")
    assert set(data["credits"]) == described("VideoCredits")


def test_the_error_and_the_warnings_of_a_video_have_the_fields_of_their_descriptions(owner):
    video = make_video(owner, "failed", script="مرحبا بكم في متجرنا", voice=make_voice(language="English"))
    data = data_of(owner.client.get(f"{VIDEOS}/{video.pk}"))
    assert set(data["error"]) == described("VideoError")
    assert {frozenset(each) for each in data["warnings"]} == {frozenset(described("Warning"))}


def test_a_video_event_has_the_fields_of_its_description(owner):
    video = make_video(owner, "completed")
    events = data_of(owner.client.get(f"{VIDEOS}/{video.pk}/events"))
    assert [set(event) for event in events] == [described("Event")] * 6


def batch_in(person: Any, avatar: Any, status: str) -> Batch:
    batch = make_batch(person, payload_for(avatar))
    if status == "canceled":
        person.client.post(f"{BATCHES}/{batch.pk}/cancel")
    if status == "completed":
        for video in videos_of(batch):
            fail_video(video)
    return batch


@pytest.mark.parametrize("status", ["processing", "completed", "canceled"])
def test_a_batch_has_the_fields_of_its_description(owner, avatar, status):
    set_balance(owner, 100)
    batch = batch_in(owner, avatar, status)
    data = data_of(owner.client.get(f"{BATCHES}/{batch.pk}"))
    assert (data["status"], set(data)) == (status, described("Batch"))
    assert set(data["counts"]) == described("Counts")
    assert set(data["credits"]) == described("BatchCredits")


def test_quotes_have_the_fields_of_their_descriptions(owner, avatar):
    body = payload_for(avatar)
    assert set(data_of(owner.client.post(f"{BATCHES}/quote", body))) == described("BatchQuote")
    del body["rows"]
    assert set(data_of(owner.client.post(f"{VIDEOS}/quote", body))) == described("Quote")

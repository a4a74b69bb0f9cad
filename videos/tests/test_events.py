"""The history of a video over the API."""

import pytest

from genvid.tests.asserts import data_of, queries_once_warm, wrong_fields_of
from genvid.tests.factories import make_video
from videos import settlement
from videos.models import VideoEvent

pytestmark = pytest.mark.django_db


def events_of(person, video, **query) -> list[dict]:
    return data_of(person.client.get(f"/api/v1/videos/{video.pk}/events", query))


def test_a_draft_has_one_event_with_every_field(owner):
    video = make_video(owner, "draft")
    event = VideoEvent.objects.get()
    assert events_of(owner, video) == [
        {
            "id": event.pk,
            "from_status": None,
            "to_status": "draft",
            "reason": "created",
            "created_at": event.created_at.isoformat().replace("+00:00", "Z"),
        }
    ]


def test_a_history_is_listed_newest_first_in_the_public_statuses(owner):
    rows = events_of(owner, make_video(owner, "completed"))
    assert [(row["from_status"], row["to_status"], row["reason"]) for row in rows] == [
        ("processing", "completed", "stored"),
        ("processing", "processing", "test"),
        ("processing", "processing", "test"),
        ("queued", "processing", "test"),
        ("draft", "queued", "accepted"),
        (None, "draft", "created"),
    ]


@pytest.mark.parametrize(("status", "reason"), [("canceled", "canceled"), ("failed", "test")])
def test_an_unsuccessful_end_is_in_the_history(owner, status, reason):
    row = events_of(owner, make_video(owner, status))[0]
    assert (row["from_status"], row["to_status"], row["reason"]) == ("queued", status, reason)


def test_a_render_that_starts_over_is_in_the_history(owner):
    video = make_video(owner, "rendering")
    settlement.requeue_video(video, reason="try_again", why="secret words")
    row = events_of(owner, video)[0]
    assert (row["from_status"], row["to_status"], row["reason"]) == ("processing", "queued", "try_again")


def test_notes_of_staff_are_not_in_the_history(owner):
    video = make_video(owner, "rendering")
    settlement.requeue_video(video, reason="try_again", why="secret words")
    assert b"secret" not in owner.client.get(f"/api/v1/videos/{video.pk}/events").content


def test_a_history_leaves_out_the_events_of_other_videos(owner, avatar):
    video = make_video(owner, "draft", avatar=avatar)
    make_video(owner, "failed", avatar=avatar)
    assert [row["reason"] for row in events_of(owner, video)] == ["created"]


def test_a_history_is_paginated(owner):
    video = make_video(owner, "completed")
    path = f"/api/v1/videos/{video.pk}/events"
    first = owner.client.get(path, {"limit": 4})
    rest = owner.client.get(path, {"limit": 4, "cursor": first.json()["meta"]["next_cursor"]})
    assert data_of(first) + data_of(rest) == events_of(owner, video)
    assert (len(data_of(first)), rest.json()["meta"]["next_cursor"]) == (4, None)


def test_a_history_refuses_filters(owner):
    response = owner.client.get(f"/api/v1/videos/{make_video(owner).pk}/events", {"status": "queued"})
    assert wrong_fields_of(response) == ["status"]


def test_a_list_of_events_takes_no_more_queries_for_a_longer_history(owner, avatar):
    short, long = make_video(owner, "draft", avatar=avatar), make_video(owner, "submitting", avatar=avatar)
    assert [queries_once_warm(lambda video=video: events_of(owner, video)) for video in (short, long)] == [2, 2]
    assert [len(events_of(owner, video)) for video in (short, long)] == [1, 3]

"""The videos' part of a data export: complete, linked to its files, and written row by row."""

import io
import tracemalloc
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.utils import timezone

from accounts.privacy import export_archive
from accounts.tests.privacy import exported
from genvid import media_links
from genvid.tests.asserts import data_of, queries_of, refusal_of
from genvid.tests.factories import JsonClient, make_avatar, make_video
from videos.models import Video

pytestmark = pytest.mark.django_db


def make_many(person, count: int, script: str = "Hi.") -> None:
    avatar = make_avatar()
    facts = {"account": person.account, "avatar": avatar, "voice": avatar.default_voice, "status": "draft"}
    Video.objects.bulk_create((Video(script=script, **facts) for _ in range(count)), batch_size=1000)


def written(person) -> io.BytesIO:
    sink = io.BytesIO()
    export_archive.write_archive(sink, export_archive.parts_of(person.user), after_each=lambda: None)
    return sink


def test_an_exported_video_is_as_the_api_shows_it_and_has_its_links(owner):
    video = make_video(owner, "completed", title="Mine", metadata={"a": "b"})
    shown = data_of(owner.client.get(f"/api/v1/videos/{video.pk}"))
    (row,) = exported(owner)["videos"]
    assert {name: row[name] for name in shown} == shown
    assert sorted(row["files"]) == ["file", "subtitles", "thumbnail"]


def test_the_links_of_an_export_lead_to_the_files_for_a_week(owner):
    make_video(owner, "completed")
    link = urlsplit(exported(owner)["videos"][0]["files"]["file"]).path
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
        assert b"".join(JsonClient().get(link).streaming_content) == b"the file"
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        assert refusal_of(JsonClient().get(link)) == (404, "not_found")


def test_an_export_does_not_prolong_ordinary_links(owner, settings):
    video = make_video(owner, "completed")
    link = urlsplit(media_links.signed_link(video.file.name)).path
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.MEDIA_LINK_LIFETIME + 1), tick=False):
        assert refusal_of(JsonClient().get(link)) == (404, "not_found")


def test_an_exported_history_leaves_out_the_notes_of_staff(owner):
    make_video(owner, "failed")
    events = exported(owner)["video_events"]
    assert [each["to_status"] for each in events] == ["draft", "queued", "failed"]
    assert "detail" not in events[0]


def test_a_deleted_video_is_exported_with_what_is_left_of_it(owner):
    make_video(owner, "completed", deleted_at=timezone.now())
    assert len(exported(owner)["videos"]) == 1


def test_an_export_of_many_videos_takes_no_more_queries(owner):
    make_video(owner, "completed")
    few = queries_of(lambda: written(owner))
    make_many(owner, 1200)
    assert queries_of(lambda: written(owner)) == few


def test_an_export_of_many_videos_takes_no_more_memory(owner):
    make_many(owner, 4000, script="Words. " * 700)
    parts = {"videos": export_archive.parts_of(owner.user)["videos"]}
    tracemalloc.start()
    export_archive.write_archive(io.BytesIO(), parts, after_each=lambda: None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * 1024 * 1024, "of twenty that their scripts have"

"""The results of a batch as CSV."""

import csv
import io

import pytest

from accounts.enums import Role
from genvid.tests.asserts import data_of, queries_once_warm
from genvid.tests.factories import make_teammate, set_balance
from videos.lifecycle import deletion
from videos.models import Video
from videos.tests.batches import BATCHES, fail_video, make_batch, payload_for, videos_of
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def payload(avatar) -> dict:
    return payload_for(avatar)


def results(person, batch) -> list[dict[str, str]]:
    answer = person.client.get(f"{BATCHES}/{batch.pk}/results.csv")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_batch_results_have_a_line_for_each_row(owner, payload):
    batch = make_batch(owner, payload)
    first, *_ = videos_of(batch)
    fail_video(first)
    lines = results(owner, batch)
    assert [(line["row"], line["name"], line["status"]) for line in lines] == [
        ("1", "Ada", "failed"),
        ("2", "Bob", "queued"),
        ("3", "Cyd", "queued"),
    ]
    assert (lines[0]["video_id"], lines[0]["error_code"]) == (str(first.pk), "render_failed")


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_result_cell_that_a_spreadsheet_would_run_is_text(owner, payload, value):
    batch = make_batch(owner, payload, rows=[{"name": value}])
    (line,) = results(owner, batch)
    assert line["name"] == f"'{value}"


def test_batch_results_take_a_query_for_each_chunk(owner, payload):
    set_balance(owner, 1000)
    small, large = make_batch(owner, payload), make_batch(owner, payload, rows=[{"name": "x"}] * 50)
    costs = [queries_once_warm(lambda batch=batch: results(owner, batch)) for batch in (small, large)]
    assert costs[0] == costs[1] == 3


def test_an_admin_of_the_account_may_read_batch_results(owner, payload):
    batch = make_batch(owner, payload)
    assert len(results(make_teammate(owner, Role.ADMIN), batch)) == 3


def test_batch_results_keep_a_deleted_video_without_links_and_a_purged_one_without_values(owner, payload):
    batch = make_batch(owner, payload)
    first, *_ = videos_of(batch)
    fail_video(first)
    Video.objects.filter(pk=first.pk).update(file="videos/a.mp4", subtitles="videos/a.srt")
    assert data_of(owner.client.get(f"/api/v1/videos/{first.pk}"))["file_url"] in results(owner, batch)[0].values()
    deletion.delete_video(fresh(first))
    line = results(owner, batch)[0]
    assert (line["name"], line["status"], line["file_url"], line["captions_url"]) == ("Ada", "failed", "", "")
    deletion.purge_video(str(first.pk))
    assert (results(owner, batch)[0]["name"], fresh(first).variables) == ("", {})


def test_a_column_name_that_a_spreadsheet_would_run_is_text(owner, payload):
    batch = make_batch(owner, payload, rows=[{"name": "Ada", "=1+1": "x"}])
    assert results(owner, batch)[0]["'=1+1"] == "x"

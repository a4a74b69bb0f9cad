"""Batches over the API: all rows or none, one hold, counts, cancel, results."""

import csv
import io
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.enums import Role
from billing.models import Hold
from genvid.tests.asserts import (
    data_of,
    nothing_changes,
    queries_of,
    queries_once_warm,
    refusal_of,
    the_ledger_proves,
    wrong_fields_of,
)
from genvid.tests.factories import make_caller, make_key, make_teammate, make_video, set_balance
from genvid.tests.parallel import in_parallel
from videos.enums import Status
from videos.models import Batch, Video, VideoEvent
from videos.services import batching, settling, sweeping
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db
BATCHES = "/api/v1/batches"
QUOTE = f"{BATCHES}/quote"
ROWS = [{"name": "Ada"}, {"name": "Bob"}, {"name": "Cyd"}]
SCRIPT = "Hello {{name}}, welcome to our spring sale."


@pytest.fixture
def wish(avatar) -> dict:
    return {"script": SCRIPT, "title": "For {{name}}", "avatar_id": str(avatar.pk), "rows": ROWS}


def make_batch(person, wish, **changes) -> Batch:
    return Batch.objects.get(pk=data_of(person.client.post(BATCHES, wish | changes), 201)["id"])


def videos_of(batch) -> list[Video]:
    return list(Video.objects.filter(batch=batch).order_by("batch_row"))


def shown(person, batch) -> dict:
    return data_of(person.client.get(f"{BATCHES}/{batch.pk}"))


def counts(**given) -> dict[str, int]:
    return {"queued": 0, "processing": 0, "completed": 0, "failed": 0, "canceled": 0} | given


def as_form(wish, content: bytes, **changes) -> dict:
    given = {name: value for name, value in wish.items() if name != "rows"} | changes
    return given | {"rows_file": SimpleUploadedFile("rows.csv", content, "text/csv")}


def end(video: Video) -> None:
    """Fail it, from wherever it waits."""
    settling.fail(video, code="render_failed", message="No.", retryable=True, reason="test")


# ── Making one


def test_each_row_becomes_a_video_of_its_own(owner, wish):
    batch = make_batch(owner, wish)
    assert [(video.batch_row, video.title, video.script) for video in videos_of(batch)] == [
        (number, f"For {name}", f"Hello {name}, welcome to our spring sale.")
        for number, name in enumerate(("Ada", "Bob", "Cyd"), start=1)
    ]


def test_a_new_batch_has_every_field(owner, wish, avatar):
    data = data_of(owner.client.post(BATCHES, wish | {"speed": 1.2, "metadata": {"a": "b"}}), 201)
    held = data["credits"]["quoted"]
    assert {name: data[name] for name in data if name not in ("id", "created_at", "results_url")} == {
        "title": "For {{name}}",
        "status": "processing",
        "script": SCRIPT,
        "avatar_id": str(avatar.pk),
        "voice_id": str(avatar.default_voice_id),
        "format": "16:9",
        "resolution": "1080p",
        "language": None,
        "captions": False,
        "background": None,
        "speed": 1.2,
        "metadata": {"a": "b"},
        "columns": ["name"],
        "total": 3,
        "counts": counts(queued=3),
        "progress_percent": 0,
        "credits": {"quoted": held, "held": held, "charged": 0},
        "canceled_at": None,
        "completed_at": None,
    }
    assert held > 0


def test_all_of_it_is_held_at_once(owner, wish):
    batch = make_batch(owner, wish)
    holds = dict(Hold.objects.values_list("reference", "amount"))
    assert holds == {video.money_reference: video.credits_held for video in videos_of(batch)}
    assert (owner.wallet.held, the_ledger_proves()) == (sum(holds.values()), True)


def test_the_videos_wait_in_the_order_of_their_rows(owner, wish):
    batch = make_batch(owner, wish)
    listed = data_of(owner.client.get("/api/v1/videos", {"batch_id": str(batch.pk)}))
    assert [video["queue_position"] for video in listed] == [3, 2, 1]
    assert [video["title"] for video in listed] == ["For Cyd", "For Bob", "For Ada"]


def test_each_video_has_the_start_of_its_history(owner, wish):
    make_batch(owner, wish)
    assert list(VideoEvent.objects.values_list("from_status", "to_status", "reason")) == [("", "queued", "batch")] * 3


def test_a_batch_that_the_wallet_does_not_cover_makes_nothing(owner, wish):
    set_balance(owner, 5)
    with nothing_changes():
        assert refusal_of(owner.client.post(BATCHES, wish)) == (402, "insufficient_credits")


def test_a_batch_beyond_its_keys_limit_makes_nothing(owner, wish):
    program = make_key(owner, monthly_credit_limit=5)
    program.client.get(BATCHES)
    with nothing_changes():
        assert refusal_of(program.client.post(BATCHES, wish)) == (402, "key_limit_reached")


def test_a_quote_says_what_the_batch_will_hold_and_changes_nothing(owner, wish):
    with nothing_changes():
        quoted = data_of(owner.client.post(QUOTE, wish))
    made = make_batch(owner, wish)
    assert quoted == {
        "credits": made.credits_quoted,
        "videos": 3,
        "estimated_seconds": sum(video.estimated_seconds for video in videos_of(made)),
        "available_credits": 30,
        "affordable": True,
    }


def test_a_repeated_request_makes_one_batch(owner, wish):
    first, again = (data_of(owner.client.post(BATCHES, wish, HTTP_IDEMPOTENCY_KEY="one"), 201) for _ in range(2))
    assert (first["id"], Batch.objects.count(), Video.objects.count()) == (again["id"], 1, 3)


def test_a_thousand_rows_take_no_more_queries_than_ten(owner, wish):
    set_balance(owner, 20_000)
    few, many = ([{"name": f"Person {n}"} for n in range(count)] for count in (10, 1000))
    make_batch(owner, wish, rows=few)
    with_few = queries_of(lambda: make_batch(owner, wish, rows=few))
    assert queries_of(lambda: make_batch(owner, wish, rows=many)) <= with_few + 6


# ── What is refused


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"rows": []}, ["rows"]),
        ({"rows": {"name": "Ada"}}, ["rows"]),
        ({"rows": [{"name": "x"}] * 1001}, ["rows"]),
        ({"rows": [{"name": "Ada"}, "Bob"]}, ["rows.1"]),
        ({"rows": [{"name": 1}, {"name": "Bob"}, {"name": None}]}, ["rows.0.name", "rows.2.name"]),
        ({"rows": [{"name": "Ada"}, {"name": " "}, {}]}, ["rows.1.name", "rows.2.name"]),
        ({"rows": [{"name": "Ada", "first name": "x"}]}, ["rows.0.first name"]),
        ({"rows": [{"name": "a\x00"}]}, ["rows.0.name"]),
        ({"rows": [{"name": "a" * 4999}], "title": ""}, ["rows.0.script"]),
        ({"rows": [{"name": "?!"}], "script": "{{name}}", "title": ""}, ["rows.0.script"]),
        ({"rows": [{"name": "a" * 200}]}, ["rows.0.title"]),
        ({"script": "Hi {{nobody}}"}, ["script"]),
        ({"script": "Hi {{name"}, ["script"]),
        ({"title": "{{nobody}}"}, ["title"]),
        ({"avatar_id": "00000000-0000-0000-0000-000000000000"}, ["avatar_id"]),
        ({"draft": True}, ["draft"]),
    ],
    ids=[str(number) for number in range(16)],
)
def test_a_wrong_batch_names_row_and_column_and_makes_nothing(owner, wish, change, fields):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(BATCHES, wish | change)) == fields


def test_all_wrong_rows_are_in_one_report_of_bounded_size(owner, wish):
    details = owner.client.post(BATCHES, wish | {"rows": [{"name": ""}] * 150}).json()["error"]["details"]
    assert len(details) == 101
    assert details["rows"] == "There are 50 more errors."


def test_a_viewer_makes_and_cancels_nothing(owner, viewer, wish):
    batch = make_batch(owner, wish)
    with nothing_changes():
        assert refusal_of(viewer.client.post(BATCHES, wish)) == (403, "permission_denied")
        assert refusal_of(viewer.client.post(f"{BATCHES}/{batch.pk}/cancel")) == (403, "permission_denied")
    assert shown(viewer, batch)["total"] == 3


def test_an_outsider_finds_nothing(owner, outsider, wish):
    batch = make_batch(owner, wish)
    with nothing_changes():
        assert data_of(outsider.client.get(BATCHES)) == []
        for path in ("", "/results.csv"):
            assert refusal_of(outsider.client.get(f"{BATCHES}/{batch.pk}{path}")) == (404, "not_found")
        assert refusal_of(outsider.client.post(f"{BATCHES}/{batch.pk}/cancel")) == (404, "not_found")


# ── As a form


def test_a_csv_is_a_batch(owner, wish):
    form = as_form(wish, "name;city\r\nZoë;Rom\r\nBob;Paris".encode("utf-16"), captions="true", metadata='{"a": "b"}')
    data = data_of(owner.client.post(BATCHES, form, format="multipart"), 201)
    assert (data["columns"], data["total"], data["captions"], data["metadata"]) == (
        ["name", "city"],
        2,
        True,
        {"a": "b"},
    )
    assert [video.script for video in videos_of(data["id"])] == [
        "Hello Zoë, welcome to our spring sale.",
        "Hello Bob, welcome to our spring sale.",
    ]


@pytest.mark.parametrize(
    ("content", "change", "fields"),
    [
        (b"", {}, ["rows_file"]),
        (b"name\n", {}, ["rows_file"]),
        (b"\xff\xff\x00", {}, ["rows_file"]),
        (b"name,city\nAda", {}, ["rows_file"]),
        (b"town\nRome", {}, ["script"]),
        (b"name\nAda", {"captions": "yes"}, ["captions"]),
        (b"name\nAda", {"captions": "1"}, ["captions"]),
        (b"name\nAda", {"speed": "fast"}, ["speed"]),
        (b"name\nAda", {"metadata": "{"}, ["metadata"]),
        (b"name\nAda", {"rows": "[]"}, ["rows"]),
        (b"name,city\nAda,Rome\n,Paris", {}, ["rows.1.name"]),
    ],
    ids=str,
)
def test_a_wrong_form_names_its_field_and_makes_nothing(owner, wish, content, change, fields):
    with nothing_changes():
        answer = owner.client.post(BATCHES, as_form(wish, content, **change), format="multipart")
        assert wrong_fields_of(answer) == fields


def test_an_error_in_a_file_names_its_line(owner, wish):
    answer = owner.client.post(BATCHES, as_form(wish, b"name,city\n\nAda,Rome\n,Paris"), format="multipart")
    assert answer.json()["error"]["details"] == {"rows.1.name": "Line 4: Is empty; the script uses it."}


def written_form(wish, boundary: str) -> bytes:
    fields = {name: value for name, value in wish.items() if name != "rows"}
    heads = {f'name="{name}"': value for name, value in fields.items()} | {
        'name="rows_file"; filename="r"': "name\nAda"
    }
    parts = [f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{heads[head]}\r\n" for head in heads]
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


def test_a_repeated_form_makes_one_batch_though_its_boundary_differs(owner, wish):
    made = []
    for boundary in ("aaaa", "bbbb"):
        kind, body = f"multipart/form-data; boundary={boundary}", written_form(wish, boundary)
        made.append(data_of(owner.client.generic("POST", BATCHES, body, kind, HTTP_IDEMPOTENCY_KEY="k"), 201)["id"])
    assert (made[0], Batch.objects.count()) == (made[1], 1)


def test_the_same_key_with_another_file_is_refused(owner, wish):
    send = partial(owner.client.post, BATCHES, format="multipart", HTTP_IDEMPOTENCY_KEY="k")
    data_of(send(as_form(wish, b"name\nAda")), 201)
    with nothing_changes():
        assert refusal_of(send(as_form(wish, b"name\nBob"))) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\n\r\n", b"\xff"])
def test_a_broken_form_is_refused(owner, body):
    with nothing_changes():
        status, _ = refusal_of(owner.client.generic("POST", BATCHES, body, "multipart/form-data; boundary=x"))
    assert status == 400


def test_a_form_without_a_boundary_is_refused(owner):
    assert refusal_of(owner.client.generic("POST", BATCHES, b"x", "multipart/form-data")) == (400, "parse_error")


def test_a_body_that_is_too_large_is_refused(owner, wish):
    with nothing_changes():
        answer = owner.client.post(BATCHES, wish | {"script": "a" * (5 * 1024 * 1024)})
    assert refusal_of(answer) == (413, "payload_too_large")


# ── How far it is


def test_counts_and_credits_follow_its_videos(owner, wish):
    batch = make_batch(owner, wish)
    first, second, _ = videos_of(batch)
    given_back = first.credits_held
    end(first)
    second.move(Status.SUBMITTING, reason="test", submitted_at=timezone.now())
    data = shown(owner, batch)
    assert (data["status"], data["counts"]) == ("processing", counts(queued=1, processing=1, failed=1))
    assert data["credits"]["held"] == batch.credits_quoted - given_back
    assert data["progress_percent"] == 33


def test_it_is_completed_when_all_have_ended(owner, wish):
    batch = make_batch(owner, wish)
    for video in videos_of(batch):
        end(video)
    data = shown(owner, batch)
    assert (data["status"], data["progress_percent"], data["counts"]) == ("completed", 100, counts(failed=3))
    assert data["completed_at"] is not None
    assert data["credits"] == {"quoted": batch.credits_quoted, "held": 0, "charged": 0}


@pytest.mark.django_db(transaction=True)
def test_two_last_videos_that_end_at_once_close_it_once():
    person = make_caller()
    wanted = make_video(person, "draft")
    batch = make_batch(person, {"script": "Hi {{n}}", "avatar_id": str(wanted.avatar_id), "rows": [{"n": "Ada"}] * 8})
    in_parallel([partial(end, video) for video in videos_of(batch)])
    batch.refresh_from_db()
    assert (batch.open, batch.completed_at is not None, the_ledger_proves()) == (0, True, True)


def test_a_longer_list_takes_no_more_queries(owner, wish):
    set_balance(owner, 1000)
    make_batch(owner, wish)
    with_one = queries_once_warm(lambda: data_of(owner.client.get(BATCHES)))
    make_batch(owner, wish)
    make_batch(owner, wish)
    assert queries_once_warm(lambda: data_of(owner.client.get(BATCHES))) == with_one == 3


# ── Canceling it


def test_what_waits_is_taken_back_and_what_is_under_way_goes_on(owner, wish):
    batch = make_batch(owner, wish)
    first, *_ = videos_of(batch)
    first.move(Status.SUBMITTING, reason="test", submitted_at=timezone.now())
    data = data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel"))
    assert (data["status"], data["counts"]) == ("processing", counts(processing=1, canceled=2))
    assert (owner.wallet.held, the_ledger_proves()) == (first.credits_held, True)
    end(fresh(first))
    assert shown(owner, batch)["status"] == "canceled"


def test_canceling_twice_is_the_same_as_once(owner, wish):
    batch = make_batch(owner, wish)
    first, *_ = videos_of(batch)
    first.move(Status.SUBMITTING, reason="test", submitted_at=timezone.now())
    answers = [data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel"))["counts"] for _ in range(2)]
    assert answers == [counts(processing=1, canceled=2)] * 2


def test_an_ended_batch_cannot_be_canceled(owner, wish):
    batch = make_batch(owner, wish)
    for video in videos_of(batch):
        end(video)
    with nothing_changes():
        assert refusal_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel")) == (409, "invalid_state")


def test_the_rest_of_a_long_batch_is_canceled_by_a_worker(owner, wish, monkeypatch, woken):
    monkeypatch.setattr(batching, "CANCEL_CHUNK", 2)
    batch = make_batch(owner, wish)
    assert data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel"))["counts"] == counts(queued=1, canceled=2)
    assert ("videos.cancel_batch", str(batch.pk)) in woken
    batching.cancel_rest(str(batch.pk))
    assert shown(owner, batch)["counts"] == counts(canceled=3)


def test_a_cancellation_that_died_half_way_is_found_by_the_sweep(owner, wish, monkeypatch, woken):
    monkeypatch.setattr(batching, "CANCEL_CHUNK", 2)
    batch = make_batch(owner, wish)
    data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel"))
    woken.clear()
    Batch.objects.update(canceled_at=timezone.now() - 2 * sweeping.CANCEL_AFTER)
    sweeping.wake_cancellations()
    assert woken == [("videos.cancel_batch", str(batch.pk))]


# ── Its results


def results(person, batch) -> list[dict[str, str]]:
    answer = person.client.get(f"{BATCHES}/{batch.pk}/results.csv")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_results_have_a_line_for_each_row(owner, wish):
    batch = make_batch(owner, wish)
    first, *_ = videos_of(batch)
    end(first)
    lines = results(owner, batch)
    assert [(line["row"], line["name"], line["status"]) for line in lines] == [
        ("1", "Ada", "failed"),
        ("2", "Bob", "queued"),
        ("3", "Cyd", "queued"),
    ]
    assert (lines[0]["video_id"], lines[0]["error_code"]) == (str(first.pk), "render_failed")


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(owner, wish, value):
    batch = make_batch(owner, wish, rows=[{"name": value}])
    (line,) = results(owner, batch)
    assert line["name"] == f"'{value}"


def test_results_take_a_query_for_each_chunk(owner, wish):
    set_balance(owner, 1000)
    small, large = make_batch(owner, wish), make_batch(owner, wish, rows=[{"name": "x"}] * 50)
    costs = [queries_once_warm(lambda batch=batch: results(owner, batch)) for batch in (small, large)]
    assert costs[0] == costs[1] == 3


def test_a_manager_of_another_role_may_read_results(owner, wish):
    batch = make_batch(owner, wish)
    assert len(results(make_teammate(owner, Role.ADMIN), batch)) == 3

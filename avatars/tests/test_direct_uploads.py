"""Uploads that go straight to the bucket: the signed form, and the check once the bytes are there."""

import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from avatars import jobs
from avatars.enums import UploadStatus
from avatars.models import Upload
from avatars.uploads import completion, direct, removal
from genvid.leasing import from_now
from genvid.tests import media_files
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.jobs import run_job
from genvid.tests.parallel import in_parallel
from genvid.tests.uploads import PATH

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
PICTURE = media_files.picture("JPEG")


def announce(person, content: bytes = PICTURE, content_type: str = "image/jpeg", **said: Any) -> dict[str, Any]:
    body = {"filename": "me.jpg", "content_type": content_type, "size_bytes": len(content)} | said
    shown: dict[str, Any] = data_of(person.client.post(PATH, body), 201)
    return shown


def put(announced: dict[str, Any], content: bytes = PICTURE) -> int:
    form = {name: (None, value) for name, value in announced["upload_fields"].items()}
    files = form | {"file": ("x", content)}
    return httpx.post(announced["upload_url"], files=files, trust_env=False, timeout=900).status_code


def complete(person, announced: dict[str, Any]) -> Any:
    return person.client.post(f"{PATH}/{announced['id']}/complete")


def send(person, content: bytes = PICTURE, content_type: str = "image/jpeg", **said: Any) -> Any:
    announced = announce(person, content, content_type, **said)
    assert put(announced, content) == 204
    return complete(person, announced)


def names(store) -> list[str]:
    return sorted(store.objects)


def test_a_file_is_sent_to_the_bucket_and_completed(owner, store):
    announced = announce(owner, sha256=hashlib.sha256(PICTURE).hexdigest())
    assert (announced["status"], announced["kind"], announced["bytes"], announced["url"]) == (
        "waiting",
        "image",
        len(PICTURE),
        None,
    )
    assert put(announced) == 204
    shown = data_of(complete(owner, announced))
    assert (shown["status"], shown["width"], shown["filename"]) == ("ready", 320, "me.jpg")
    assert names(store) == [f"/films/uploads/{owner.account.pk}/{announced['id']}.jpg"]
    assert data_of(owner.client.get(f"{PATH}/{announced['id']}")) == shown


def test_completing_is_repeated_without_effect(owner, store):
    announced = announce(owner)
    put(announced)
    shown = data_of(complete(owner, announced))
    with nothing_changes():
        assert data_of(complete(owner, announced)) == shown


def test_a_file_that_has_not_arrived_is_not_completed(owner):
    announced = announce(owner)
    with nothing_changes():
        assert refusal_of(complete(owner, announced)) == (409, "invalid_state")


@pytest.mark.parametrize("content", [PICTURE + b"x", PICTURE[:-1], b""])
def test_the_bucket_takes_no_file_of_another_size(owner, store, content):
    assert put(announce(owner), content) == 400
    assert names(store) == []


@pytest.mark.parametrize("field", ["key", "Content-Type"])
def test_the_bucket_takes_no_form_with_another_name_or_type(owner, store, field):
    announced = announce(owner)
    announced["upload_fields"][field] = "text/html" if field == "Content-Type" else "videos/1/video.mp4"
    assert put(announced) == 403
    assert names(store) == []


def test_the_bucket_takes_no_field_that_was_not_signed(owner, store):
    announced = announce(owner)
    announced["upload_fields"]["Content-Disposition"] = "inline"
    assert put(announced) == 403
    assert names(store) == []


def test_the_bucket_takes_no_form_after_its_time(owner, store, monkeypatch):
    monkeypatch.setattr(direct, "LINK_LIFETIME", timedelta(seconds=-1))
    assert put(announce(owner)) == 403
    assert names(store) == []


@pytest.mark.parametrize(
    ("content", "content_type", "said"),
    [
        (b"<script>" * 100, "image/jpeg", {}),
        (media_files.wav(), "image/jpeg", {}),
        (PICTURE, "image/jpeg", {"sha256": "0" * 64}),
        (media_files.film()[:-500], "video/mp4", {}),
    ],
    ids=["a page", "another kind", "another checksum", "cut off"],
)
def test_a_file_that_is_not_what_was_announced_is_refused_and_not_kept(owner, store, content, content_type, said):
    answer = send(owner, content, content_type, **said)
    assert refusal_of(answer) == (400, "upload_refused")
    assert names(store) == []
    [shown] = data_of(owner.client.get(PATH))
    assert (shown["status"], shown["bytes"], shown["url"]) == ("refused", 0, None)
    assert shown["error"] == {"code": "upload_refused", "message": answer.json()["error"]["message"]}
    assert refusal_of(complete(owner, shown)) == (400, "upload_refused")


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"content_type": "image/svg+xml"}, ["content_type"]),
        ({"content_type": "text/html"}, ["content_type"]),
        ({"size_bytes": 0}, ["size_bytes"]),
        ({"size_bytes": 2**53}, ["size_bytes"]),
        ({"sha256": "X" * 64}, ["sha256"]),
        ({"filename": ""}, ["filename"]),
        ({"filename": "n" * 256}, ["filename"]),
        ({"key": "other"}, ["key"]),
    ],
)
def test_a_wrong_announcement_is_refused_on_its_field(owner, said, fields):
    body = {"filename": "me.jpg", "content_type": "image/jpeg", "size_bytes": 1000} | said
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(PATH, body)) == fields


@pytest.mark.parametrize(
    ("content_type", "size"), [("image/jpeg", 50_000_001), ("audio/wav", 120_000_001), ("video/mp4", 500_000_001)]
)
def test_a_file_beyond_the_limit_of_its_kind_is_refused(owner, content_type, size):
    body = {"filename": "me.jpg", "content_type": content_type, "size_bytes": size}
    with nothing_changes():
        assert refusal_of(owner.client.post(PATH, body)) == (413, "upload_too_large")


def test_a_video_of_five_hundred_megabytes_may_be_announced(owner):
    assert announce(owner, content_type="video/mp4", size_bytes=500_000_000)["kind"] == "video"


def test_a_large_file_is_checked_by_a_worker(owner, store, monkeypatch, woken):
    monkeypatch.setattr(completion, "AT_ONCE_BYTES", 100)
    announced = announce(owner)
    put(announced)
    answer = complete(owner, announced)
    assert data_of(answer, 202)["status"] == "waiting"
    assert woken == [(jobs.WORK_ON_UPLOAD.name, announced["id"])]
    assert data_of(complete(owner, announced), 202)["status"] == "waiting"
    run_job(jobs.WORK_ON_UPLOAD, announced["id"])
    assert data_of(owner.client.get(f"{PATH}/{announced['id']}"))["status"] == "ready"
    assert data_of(complete(owner, announced))["status"] == "ready"


def test_a_check_is_repeated_while_the_bucket_fails(owner, store):
    announced = announce(owner)
    put(announced)
    store.broken.add("PUT")
    assert data_of(complete(owner, announced), 202)["status"] == "waiting"
    store.broken.clear()
    Upload.objects.update(due_at=from_now())
    run_job(jobs.WORK_ON_UPLOAD, announced["id"])
    assert data_of(owner.client.get(f"{PATH}/{announced['id']}"))["status"] == "ready"
    assert names(store) == [f"/films/uploads/{owner.account.pk}/{announced['id']}.jpg"]


def test_a_file_that_nobody_completed_is_removed(owner, store, work_at_once):
    announced = announce(owner)
    put(announced)
    Upload.objects.update(expires_at=from_now(-removal.WAITING_GRACE))
    with work_at_once():
        run_job(jobs.SWEEP_UPLOADS)
    assert names(store) == []
    assert data_of(owner.client.get(PATH)) == []


def test_a_link_that_has_just_ended_does_not_cost_the_file_that_is_on_its_way(owner, store, work_at_once):
    announced = announce(owner)
    Upload.objects.update(expires_at=from_now(-60))
    with work_at_once():
        run_job(jobs.SWEEP_UPLOADS)
    put(announced)
    assert data_of(complete(owner, announced))["status"] == "ready"


def test_an_upload_that_is_deleted_while_it_is_checked_leaves_nothing(owner, store, monkeypatch, work_at_once):
    announced = announce(owner)
    put(announced)
    really_keep = completion._keep

    def keep(upload, copy, incoming):
        owner.client.delete(f"{PATH}/{announced['id']}")
        run_job(jobs.WORK_ON_UPLOAD, announced["id"])
        really_keep(upload, copy, incoming)

    monkeypatch.setattr(completion, "_keep", keep)
    assert complete(owner, announced).status_code in (200, 202, 404)
    assert names(store) == []
    assert data_of(owner.client.get(PATH)) == []


def test_a_repetition_of_the_announcement_gets_the_same_upload(owner):
    body = {"filename": "me.jpg", "content_type": "image/jpeg", "size_bytes": 1000}
    key = {"Idempotency-Key": "one"}
    first = owner.client.post(PATH, body, headers=key).json()["data"]
    assert owner.client.post(PATH, body, headers=key).json()["data"] == first
    assert Upload.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_completed_twice_at_once_is_kept_once(owner, store):
    announced = announce(owner)
    put(announced)
    statuses = [answer.status_code for answer in in_parallel([lambda: complete(owner, announced)] * 2)]
    assert 200 in statuses
    assert set(statuses) <= {200, 202}
    assert names(store) == [f"/films/uploads/{owner.account.pk}/{announced['id']}.jpg"]
    assert Upload.objects.get().status == UploadStatus.READY


def test_a_form_is_kept_in_the_bucket_and_linked_as_an_attachment(owner, store):
    from genvid.tests import uploads  # noqa: PLC0415 - its `send` has the name of ours

    shown = data_of(uploads.send(owner.client, PICTURE, "me.jpg"), 201)
    assert names(store) == [f"/films/uploads/{owner.account.pk}/{shown['id']}.jpg"]
    link = owner.client.get(f"{PATH}/{shown['id']}/file")["Location"]
    served = httpx.get(link, trust_env=False, timeout=900)
    assert served.headers["Content-Disposition"] == 'attachment; filename="me.jpg"'
    assert served.headers["Content-Type"] == "image/jpeg"

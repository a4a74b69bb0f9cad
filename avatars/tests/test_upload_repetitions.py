"""Uploads under an `Idempotency-Key` whose first request did not come to its end."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from accounts.idempotency import WINDOW
from accounts.models import IdempotencyRecord
from avatars.enums import UploadStatus
from avatars.models import Upload
from avatars.uploads import removal
from billing.models import Tier
from genvid.tests import media_files
from genvid.tests.asserts import data_of, nothing_changes, refusal_of
from genvid.tests.factories import make_caller
from genvid.tests.parallel import in_parallel
from genvid.tests.process_death import STORED_ANSWER, end_leases, killed_at
from genvid.tests.uploads import PATH, files_of, send

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "one"}
PICTURE = media_files.picture()
ROW, READY = 'INSERT INTO "avatars_upload"', 'UPDATE "avatars_upload" SET "status"'
ANNOUNCED = {"filename": "me.jpg", "content_type": "image/jpeg", "size_bytes": 1000}
DEATHS = [
    pytest.param(READY, False, id="before the row says that the file is there"),
    pytest.param(READY, True, id="after the row says that the file is there"),
    pytest.param(STORED_ANSWER, False, id="before the answer is stored"),
]


def send_picture(person: Any) -> Any:
    return send(person.client, PICTURE, "me.png", **KEY)


def announce(person: Any) -> Any:
    return person.client.post(PATH, ANNOUNCED, headers=KEY)


@pytest.mark.parametrize(("words", "after"), DEATHS)
def test_an_upload_repeated_after_its_process_died_is_the_same_upload(owner, words, after):
    with killed_at(words, after=after):
        send_picture(owner)
    begun = Upload.objects.get()
    shown = data_of(send_picture(owner), 201)
    upload = Upload.objects.get()
    assert (shown["id"], shown["status"], upload.pk) == (str(begun.pk), "ready", begun.pk)
    assert timedelta(days=6.9) < upload.expires_at - timezone.now() <= timedelta(days=7)
    assert [path.rpartition("/")[2] for path in files_of(owner)] == [f"{upload.pk}.png"]
    assert data_of(send_picture(owner), 201) == shown


def test_a_repetition_that_makes_another_copy_of_the_file_keeps_the_facts_of_that_copy(owner):
    with killed_at(STORED_ANSWER):
        send_picture(owner)
    [path] = files_of(owner)
    facts = {"bytes": 1, "sha256": "0" * 64, "notes": ["Of another release."]}
    Upload.objects.update(status=UploadStatus.WAITING, **facts)
    assert data_of(send_picture(owner), 201)["status"] == "ready"
    upload, content = Upload.objects.get(), Path(path).read_bytes()
    assert (upload.bytes, upload.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert upload.notes != facts["notes"]


def test_an_upload_whose_process_died_before_its_row_is_made_by_the_repetition(owner):
    with killed_at(ROW):
        send_picture(owner)
    assert Upload.objects.count() == 0
    assert data_of(send_picture(owner), 201)["id"] == str(Upload.objects.get().pk)


def test_an_upload_whose_process_died_counts_once_for_the_day(owner):
    Tier.objects.update(uploads_per_day=1)
    with killed_at(STORED_ANSWER):
        send_picture(owner)
    assert data_of(send_picture(owner), 201)["status"] == "ready"
    with nothing_changes():
        assert refusal_of(send(owner.client, PICTURE)) == (429, "rate_limited")


def test_an_upload_whose_process_died_counts_once_for_what_is_kept(owner):
    Tier.objects.update(upload_bytes=len(PICTURE) * 3 // 2)
    with killed_at(STORED_ANSWER):
        send_picture(owner)
    assert data_of(send_picture(owner), 201)["status"] == "ready"


def test_another_file_under_the_key_of_a_dead_process_is_refused(owner):
    with killed_at(STORED_ANSWER):
        send_picture(owner)
    with nothing_changes():
        answer = send(owner.client, media_files.wav(), **KEY)
    assert refusal_of(answer) == (422, "idempotency_key_reused")


@pytest.fixture
def full_disk(settings, tmp_path):
    """Nothing can be stored until this file is deleted: it is where the folder of the storage would be."""
    in_the_way = tmp_path / "media"
    in_the_way.write_bytes(b"")
    storage = settings.STORAGES["default"]
    options = storage["OPTIONS"] | {"location": str(in_the_way)}
    settings.MEDIA_ROOT = str(in_the_way)
    settings.STORAGES = settings.STORAGES | {"default": storage | {"OPTIONS": options}}
    return in_the_way


def test_an_upload_that_could_not_be_stored_is_stored_by_the_repetition_at_once(owner, full_disk):
    assert refusal_of(send_picture(owner)) == (500, "server_error")
    begun = Upload.objects.get()
    full_disk.unlink()
    shown = data_of(send_picture(owner), 201)
    assert (shown["id"], shown["status"], Upload.objects.get().pk) == (str(begun.pk), "ready", begun.pk)


def test_another_file_after_one_that_could_not_be_stored_is_refused(owner, full_disk):
    assert refusal_of(send_picture(owner)) == (500, "server_error")
    full_disk.unlink()
    with nothing_changes():
        answer = send(owner.client, media_files.wav(), **KEY)
    assert refusal_of(answer) == (422, "idempotency_key_reused")


def test_a_repetition_after_the_upload_was_deleted_makes_another(owner):
    with killed_at(STORED_ANSWER):
        send_picture(owner)
    begun = Upload.objects.get()
    removal.delete_upload(begun)
    shown = data_of(send_picture(owner), 201)
    assert (shown["status"], shown["id"] != str(begun.pk), Upload.objects.count()) == ("ready", True, 2)
    assert data_of(owner.client.get(PATH)) == [shown]


def test_a_key_means_another_upload_after_a_day(owner):
    with killed_at(STORED_ANSWER):
        send_picture(owner)
    IdempotencyRecord.objects.update(created_at=timezone.now() - WINDOW - timedelta(seconds=1))
    data_of(send_picture(owner), 201)
    assert Upload.objects.filter(status=UploadStatus.READY).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_request_that_its_repetition_overtakes_makes_the_same_upload():
    """The first stalls with its row committed for longer than the lease; the repetition stores the file."""
    owner, second = make_caller(), list[Any]()

    def be_overtaken(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(READY) and not second:
            end_leases()
            second.extend(in_parallel([lambda: send_picture(owner)]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(be_overtaken):
        assert refusal_of(send_picture(owner)) == (409, "idempotency_in_progress")
    shown = data_of(second[0], 201)
    upload = Upload.objects.get()
    assert (shown["id"], shown["status"]) == (str(upload.pk), "ready")
    assert default_storage.exists(upload.file.name)
    assert data_of(send_picture(owner), 201) == shown


def test_an_id_is_chosen_for_a_claim_that_has_none(owner):
    """A claim of the release before, whose process was stopped by the upgrade."""
    with killed_at(ROW):
        send_picture(owner)
    IdempotencyRecord.objects.update(object_id=None)
    with killed_at(READY):
        send_picture(owner)
    assert data_of(send_picture(owner), 201)["id"] == str(Upload.objects.get().pk)


@pytest.mark.usefixtures("store")
def test_an_announcement_repeated_after_its_process_died_is_the_same_upload(owner):
    with killed_at(STORED_ANSWER):
        announce(owner)
    begun = Upload.objects.get()
    Upload.objects.update(expires_at=timezone.now())
    shown = data_of(announce(owner), 201)
    upload = Upload.objects.get()
    assert (shown["id"], shown["status"], upload.pk) == (str(begun.pk), "waiting", begun.pk)
    assert (shown["upload_fields"]["key"], upload.expires_at > timezone.now()) == (str(begun.file.name), True)
    assert data_of(announce(owner), 201) == shown


@pytest.mark.usefixtures("store")
def test_another_announcement_under_the_key_of_a_dead_process_is_refused(owner):
    with killed_at(STORED_ANSWER):
        announce(owner)
    with nothing_changes():
        answer = owner.client.post(PATH, ANNOUNCED | {"size_bytes": 1001}, headers=KEY)
    assert refusal_of(answer) == (422, "idempotency_key_reused")

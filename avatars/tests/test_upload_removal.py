"""Deleting uploads here and at HeyGen, expiry of unused ones, and what keeps one alive."""

import io
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from accounts.signals import account_erasing, export_requested
from avatars import jobs
from avatars.enums import UploadKind, UploadOrigin, UploadStatus
from avatars.models import Upload
from avatars.uploads import intake, references, removal
from avatars.uploads.assets import asset_id_of
from avatars.uploads.privacy import erase_uploads_of
from avatars.uploads.selection import usable_upload
from genvid.heygen import gate
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import Unknown
from genvid.leasing import from_now
from genvid.tests import heygen_assets, media_files
from genvid.tests.factories import make_video
from genvid.tests.jobs import run_job
from genvid.tests.uploads import PATH, files_of, make_upload, send
from videos.models import OperatorAlarm, Video

pytestmark = pytest.mark.django_db


def kept(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


def make_due(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(due_at=from_now())


def delete(person, upload: Upload) -> None:
    assert person.client.delete(f"{PATH}/{upload.pk}").status_code == 204


def show_in_video(person, upload: Upload) -> Video:
    video = make_video(person, "completed")
    Video.objects.filter(pk=video.pk).update(background_upload=upload)
    return video


# ── At HeyGen


def test_a_deleted_upload_is_deleted_at_heygen_too(owner, sandbox):
    upload = make_upload(owner)
    asset_id_of(upload, get_client())
    delete(owner, upload)
    run_job(jobs.WORK_ON_UPLOAD, str(upload.pk))
    assert heygen_assets.listed(sandbox) == []
    left = kept(upload)
    assert (left.file.name, left.provider_asset_id, left.filename, left.due_at) == ("", "", "", None)
    assert files_of(owner) == []


def test_an_asset_whose_answer_was_lost_is_not_left_at_heygen(owner, sandbox):
    upload = make_upload(owner)
    sandbox.fault(kind="lost", path="/v3/assets")
    with pytest.raises(Unknown):
        asset_id_of(upload, get_client())
    delete(owner, upload)
    run_job(jobs.WORK_ON_UPLOAD, str(upload.pk))
    assert heygen_assets.listed(sandbox) == []


def test_the_sweep_finds_the_id_of_an_asset_whose_answer_was_lost(owner, sandbox, work_at_once):
    upload = make_upload(owner)
    sandbox.fault(kind="lost", path="/v3/assets")
    with pytest.raises(Unknown):
        asset_id_of(upload, get_client())
    make_due(upload)
    with work_at_once():
        run_job(jobs.SWEEP_UPLOADS)
    [asset] = heygen_assets.listed(sandbox)
    assert (kept(upload).provider_asset_id, kept(upload).due_at) == (asset["id"], None)


def test_a_removal_is_repeated_until_heygen_answers_and_staff_are_told(owner, sandbox):
    upload = make_upload(owner)
    asset_id_of(upload, get_client())
    delete(owner, upload)
    sandbox.fault(method="DELETE", path="/v3/assets/*", status=500, times=removal.ALARM_AFTER)
    for number in range(removal.ALARM_AFTER):
        assert OperatorAlarm.objects.count() == 0, number
        make_due(upload)
        run_job(jobs.WORK_ON_UPLOAD, str(upload.pk))
        assert default_storage.exists(str(upload.file.name))
    assert OperatorAlarm.objects.get().code == "upload_removal_fails"
    make_due(upload)
    run_job(jobs.WORK_ON_UPLOAD, str(upload.pk))
    assert heygen_assets.listed(sandbox) == []
    assert not default_storage.exists(str(upload.file.name))


def test_nothing_is_asked_of_heygen_while_its_gate_is_shut(owner, sandbox, monkeypatch):
    upload = make_upload(owner)
    asset_id_of(upload, get_client())
    delete(owner, upload)
    monkeypatch.setattr(gate, "_checks", [lambda: False])
    run_job(jobs.WORK_ON_UPLOAD, str(upload.pk))
    assert len(heygen_assets.listed(sandbox)) == 1
    assert kept(upload).due_at > timezone.now()


def test_an_upload_of_the_test_renderer_is_removed_after_the_renderer(owner, settings):
    settings.TEST_RENDERER_URL = ""
    upload = make_upload(owner, is_test=True, provider_asset_id="gone", asset_key="key")
    delete(owner, upload)
    run_job(jobs.WORK_ON_UPLOAD, str(upload.pk))
    assert (kept(upload).file.name, kept(upload).due_at) == ("", None)


# ── Expiry


def test_an_unused_upload_expires_with_its_file(owner, work_at_once):
    upload = make_upload(owner, expires_at=timezone.now() - timedelta(seconds=1))
    other = make_upload(owner)
    with work_at_once():
        run_job(jobs.SWEEP_UPLOADS)
    assert not default_storage.exists(str(upload.file.name))
    assert [kept(upload).deleted_at is None, kept(other).deleted_at is None] == [False, True]


def test_an_upload_in_use_does_not_expire_and_has_its_time_again_afterwards(owner, work_at_once):
    upload = make_upload(owner, expires_at=timezone.now())
    show_in_video(owner, upload)
    with work_at_once():
        run_job(jobs.SWEEP_UPLOADS)
    assert kept(upload).deleted_at is None
    assert kept(upload).expires_at > timezone.now() + timedelta(days=6)


def test_an_upload_of_a_deleted_video_expires_and_leaves_an_empty_row_that_the_video_names(owner, work_at_once):
    upload = make_upload(owner, expires_at=timezone.now())
    video = show_in_video(owner, upload)
    Video.objects.filter(pk=video.pk).update(deleted_at=timezone.now())
    with work_at_once():
        run_job(jobs.SWEEP_UPLOADS)
    assert kept(upload).file.name == ""
    Upload.objects.filter(pk=upload.pk).update(expires_at=from_now())
    run_job(jobs.SWEEP_UPLOADS)
    assert kept(upload).expires_at is None


def test_the_trace_of_a_deleted_upload_is_dropped_after_its_day(owner):
    upload = make_upload(owner)
    delete(owner, upload)
    run_job(jobs.WORK_ON_UPLOAD, str(upload.pk))
    run_job(jobs.SWEEP_UPLOADS)
    assert Upload.objects.count() == 1
    Upload.objects.update(expires_at=from_now())
    run_job(jobs.SWEEP_UPLOADS)
    assert Upload.objects.count() == 0


def test_what_a_crash_leaves_between_row_and_file_is_removed(owner, monkeypatch, work_at_once):
    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(default_storage._wrapped, "save", crash)
    with pytest.raises(KeyboardInterrupt):
        intake.keep_file(owner.account.pk, io.BytesIO(media_files.wav()), kind=UploadKind.AUDIO)
    monkeypatch.undo()
    assert Upload.objects.get().status == UploadStatus.WAITING
    Upload.objects.update(expires_at=from_now(-removal.WAITING_GRACE))
    with work_at_once():
        run_job(jobs.SWEEP_UPLOADS)
    assert Upload.objects.get().file.name == ""
    assert files_of(owner) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not connection.features.has_select_for_update, reason="SQLite writes one after another")
def test_an_upload_that_a_video_is_just_being_made_with_does_not_expire(owner):
    """The order has chosen the upload, and has not written its row when the sweep comes."""
    upload, video = make_upload(owner, expires_at=timezone.now()), make_video(owner, "completed")
    chosen, swept = threading.Event(), threading.Event()

    def order() -> None:
        with transaction.atomic():
            assert usable_upload(owner.account.pk, upload.pk, [UploadKind.IMAGE], is_test=False, lock=True)
            chosen.set()
            swept.wait(60)
            Video.objects.filter(pk=video.pk).update(background_upload=upload)
        connection.close()

    thread = threading.Thread(target=order)
    thread.start()
    chosen.wait(60)
    assert removal.expire_unused() == 0
    swept.set()
    thread.join()
    assert kept(upload).deleted_at is None
    assert removal.expire_unused() == 0


def test_an_upload_that_its_repetition_has_prolonged_meanwhile_does_not_expire(owner, monkeypatch):
    """The sweep has read it as abandoned, and has not locked it."""
    upload = make_upload(owner, status=UploadStatus.WAITING, expires_at=timezone.now() - timedelta(hours=2))

    def prolong(uploads):
        Upload.objects.filter(pk=upload.pk).update(expires_at=timezone.now() + timedelta(hours=1))
        return references.used_of(uploads)

    monkeypatch.setattr(removal, "used_of", prolong)
    assert (removal.expire_unused(), kept(upload).deleted_at) == (0, None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not connection.features.has_select_for_update, reason="SQLite writes one after another")
def test_an_order_that_comes_while_an_upload_is_being_deleted_finds_none(owner):
    upload = make_upload(owner)
    found: list[Any] = []

    def order() -> None:
        with transaction.atomic():
            found.append(usable_upload(owner.account.pk, upload.pk, [UploadKind.IMAGE], is_test=False, lock=True))
        connection.close()

    with transaction.atomic():
        removal.delete_upload(upload)
        thread = threading.Thread(target=order)
        thread.start()
    thread.join()
    assert found == [None]


# ── Privacy


def test_an_export_has_the_uploads_with_links_and_without_our_bookkeeping(owner, outsider):
    upload = make_upload(owner, filename="me.png")
    make_upload(outsider)
    answers = export_requested.send(sender=None, account_ids=[owner.account.pk])
    [rows] = [list(parts["uploads"]) for _, parts in answers if "uploads" in parts]
    assert [(row["id"], row["filename"]) for row in rows] == [(upload.pk, "me.png")]
    assert "/media/" in rows[0]["file"]
    assert not {"asset_key", "waiting_reason", "due_at"} & set(rows[0])


def test_erasing_an_account_removes_its_uploads_here_and_at_heygen(owner, outsider, sandbox, work_at_once):
    upload, other = make_upload(owner), make_upload(outsider)
    make_upload(owner, origin=UploadOrigin.SPEECH, kind=UploadKind.AUDIO)
    asset_id_of(upload, get_client())
    with work_at_once():
        assert erase_uploads_of(owner.account.pk) == "2 uploads are not deleted everywhere"
    assert erase_uploads_of(owner.account.pk) == ""
    assert heygen_assets.listed(sandbox) == []
    assert (files_of(owner), len(files_of(outsider))) == ([], 1)
    assert kept(other).deleted_at is None
    assert {row.filename for row in Upload.objects.filter(account=owner.account)} == {""}


def test_erasing_an_account_waits_for_what_its_videos_still_need(owner, work_at_once):
    upload = make_upload(owner)
    video = show_in_video(owner, upload)
    with work_at_once():
        assert erase_uploads_of(owner.account.pk) == "1 uploads are not deleted everywhere"
    assert kept(upload).deleted_at is None
    Video.objects.filter(pk=video.pk).update(deleted_at=timezone.now())
    with work_at_once():
        erase_uploads_of(owner.account.pk)
    assert erase_uploads_of(owner.account.pk) == ""


def test_erasure_asks_the_uploads(owner):
    make_upload(owner)
    answers = account_erasing.send_robust(sender=None, account_id=owner.account.pk)
    assert "1 uploads are not deleted everywhere" in [answer for _, answer in answers]


def test_a_new_file_counts_its_bytes(owner):
    from avatars.uploads import metrics  # noqa: PLC0415 - read where it is counted

    def counted() -> float:
        return float(metrics.received._counter.labels("audio")._value.get())

    before = counted()
    send(owner.client, media_files.wav())
    assert counted() - before == Upload.objects.get().bytes

"""The upload endpoints: sending, listing, showing, serving and deleting files."""

import io
import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from avatars.enums import UploadKind, UploadOrigin, UploadStatus
from avatars.models import Upload
from avatars.uploads.limits import require_capacity
from billing.models import Tier
from genvid.errors import UploadTooLarge
from genvid.tests import media_files
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import make_key, make_video
from genvid.tests.parallel import in_parallel
from genvid.tests.uploads import PATH, files_on_disk, make_upload, send

pytestmark = pytest.mark.django_db


def test_a_picture_is_uploaded_and_shown_with_exactly_the_documented_fields(owner):
    shown = data_of(send(owner.client, media_files.picture("JPEG"), "me & you.jpeg"), 201)
    upload = Upload.objects.get()
    assert shown == {
        "id": str(upload.pk),
        "kind": "image",
        "status": "ready",
        "filename": "me & you.jpg",
        "bytes": upload.file.size,
        "width": 320,
        "height": 200,
        "duration_seconds": None,
        "in_use": False,
        "is_test": False,
        "notes": [],
        "url": shown["url"],
        "error": None,
        "expires_at": shown["expires_at"],
        "created_at": shown["created_at"],
    }
    assert shown["url"].endswith(f"/api/v1/uploads/{upload.pk}/file")
    assert timedelta(days=6.9) < upload.expires_at - timezone.now() <= timedelta(days=7)
    assert data_of(owner.client.get(f"{PATH}/{upload.pk}")) == shown
    assert data_of(owner.client.get(PATH)) == [shown]


@pytest.mark.parametrize(
    ("content", "facts"),
    [
        (media_files.wav(1.5), ("audio", None, None, 1.5)),
        (media_files.mp3(50), ("audio", None, None, 1.306)),
        (media_files.film(frames=40), ("video", 160, 120, 1.6)),
        (media_files.film("webm", frames=40), ("video", 160, 120, 1.6)),
    ],
)
def test_a_recording_is_uploaded_with_its_length(owner, content, facts):
    shown = data_of(send(owner.client, content), 201)
    assert (shown["kind"], shown["width"], shown["height"], shown["duration_seconds"]) == facts


def test_who_sent_an_upload_is_kept_with_it(owner):
    program = make_key(owner)
    send(program.client, media_files.picture())
    upload = Upload.objects.get()
    assert (upload.account, upload.created_by, upload.api_key) == (owner.account, owner.user, program.key)


def test_a_name_in_any_language_is_kept(owner):
    assert data_of(send(owner.client, media_files.picture(), "Grüße 世界.png"), 201)["filename"] == "Grüße 世界.png"


def test_a_form_without_a_file_is_refused(owner):
    answer = owner.client.post(PATH, {"other": "x"}, format="multipart")
    assert wrong_fields_of(answer) == ["file", "other"]


def test_a_text_in_the_place_of_the_file_is_refused(owner):
    assert wrong_fields_of(owner.client.post(PATH, {"file": "x"}, format="multipart")) == ["file"]


def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing(owner, settings):
    settings.UPLOAD_MAX_BYTES, settings.UPLOAD_MAX_BODY_BYTES = 5_000, 100_000
    before = files_on_disk()
    with nothing_changes():
        assert refusal_of(send(owner.client, b"\xff" * 50_000)) == (413, "upload_too_large")
    assert files_on_disk() == before


def test_a_body_beyond_the_limit_is_refused_by_its_announced_length(owner, settings):
    settings.UPLOAD_MAX_BODY_BYTES = 1_000
    with nothing_changes():
        assert refusal_of(send(owner.client, media_files.picture())) == (413, "upload_too_large")


@pytest.mark.parametrize("length", ["7", "100000"])
def test_a_body_of_another_length_than_announced_is_refused_and_leaves_nothing(owner, length):
    before = files_on_disk()
    with nothing_changes():
        answer = send(owner.client, media_files.picture(), **{"Content-Length": length})
        assert refusal_of(answer)[0] == 400
    assert files_on_disk() == before


def test_a_repetition_under_one_key_makes_one_upload(owner):
    key, content = {"Idempotency-Key": "one"}, media_files.picture()
    first = send(owner.client, content, **key)
    again = send(owner.client, content, **key)
    assert again.json()["data"] == first.json()["data"]
    assert again["Idempotent-Replayed"] == "true"
    assert Upload.objects.count() == 1


def test_another_file_under_the_same_key_is_refused(owner):
    key = {"Idempotency-Key": "one"}
    send(owner.client, media_files.picture(), **key)
    assert refusal_of(send(owner.client, media_files.wav(), **key)) == (422, "idempotency_key_reused")


def test_json_is_refused_without_a_bucket(owner):
    body = {"filename": "me.jpg", "content_type": "image/jpeg", "size_bytes": 1000}
    with nothing_changes():
        answer = owner.client.post(PATH, body)
    assert refusal_of(answer) == (400, "validation_error")
    assert "multipart/form-data" in answer.json()["error"]["message"]


# ── Reading


@pytest.mark.parametrize(
    "facts", [{"deleted_at": timezone.now()}, {"origin": UploadOrigin.SPEECH}], ids=["deleted", "speech"]
)
def test_what_is_deleted_or_ours_is_not_seen(owner, facts):
    upload = make_upload(owner, **facts)
    assert data_of(owner.client.get(PATH)) == []
    for answer in (
        owner.client.get(f"{PATH}/{upload.pk}"),
        owner.client.get(f"{PATH}/{upload.pk}/file"),
        owner.client.delete(f"{PATH}/{upload.pk}"),
        owner.client.post(f"{PATH}/{upload.pk}/complete"),
    ):
        assert refusal_of(answer) == (404, "not_found")


def test_a_key_sees_the_uploads_of_its_own_mode_and_people_see_both(owner, settings):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:1"
    program, test_program = make_key(owner), make_key(owner, mode="test")
    data_of(send(program.client, media_files.picture(), "live.png"), 201)
    data_of(send(test_program.client, media_files.picture(), "test.png"), 201)

    def names(client) -> list[str]:
        return [row["filename"] for row in data_of(client.get(PATH))]

    assert (names(program.client), names(test_program.client)) == (["live.png"], ["test.png"])
    assert names(owner.client) == ["test.png", "live.png"]
    assert [row["is_test"] for row in data_of(owner.client.get(PATH))] == [True, False]


def test_a_list_is_read_with_the_same_queries_however_long(owner):
    make_upload(owner)
    few = queries_once_warm(lambda: owner.client.get(PATH))
    for _ in range(4):
        make_upload(owner)
    assert queries_once_warm(lambda: owner.client.get(PATH)) == few


def test_a_list_is_read_page_by_page(owner):
    made = [make_upload(owner, filename=f"{number}.png") for number in range(3)]
    first = owner.client.get(PATH, {"limit": 2}).json()
    rest = owner.client.get(PATH, {"limit": 2, "cursor": first["meta"]["next_cursor"]}).json()
    assert [row["id"] for row in first["data"] + rest["data"]] == [str(each.pk) for each in reversed(made)]


def test_an_upload_that_did_not_change_is_not_sent_again(owner):
    upload = make_upload(owner)
    for path in (PATH, f"{PATH}/{upload.pk}"):
        etag = owner.client.get(path)["ETag"]
        assert owner.client.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_the_file_is_served_as_an_attachment_that_nothing_takes_for_a_page(owner):
    upload = make_upload(owner, filename="me.png")
    redirect = owner.client.get(f"{PATH}/{upload.pk}/file")
    served = Client().get(urlsplit(redirect["Location"]).path)
    assert (redirect.status_code, served.status_code) == (302, 200)
    assert served["Content-Disposition"] == 'attachment; filename="me.png"'
    assert (served["Content-Type"], served["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert Image.open(io.BytesIO(b"".join(served.streaming_content))).size == (320, 200)


def test_an_upload_that_is_not_ready_has_no_file(owner):
    upload = make_upload(owner, status=UploadStatus.WAITING)
    assert refusal_of(owner.client.get(f"{PATH}/{upload.pk}/file")) == (404, "not_found")
    assert data_of(owner.client.get(f"{PATH}/{upload.pk}"))["url"] is None


# ── Deleting


def test_an_upload_is_deleted_with_its_file(owner, work_at_once):
    upload = make_upload(owner)
    with work_at_once():
        assert owner.client.delete(f"{PATH}/{upload.pk}").status_code == 204
    assert data_of(owner.client.get(PATH)) == []
    assert not default_storage.exists(f"uploads/{owner.account.pk}/{upload.pk}.png")


@pytest.mark.parametrize("named", ["picture", "background_upload"])
def test_an_upload_that_a_video_is_made_with_is_not_deleted(owner, named):
    upload = make_upload(owner)
    video = make_video(owner, "completed")
    kind = {"kind": "picture", "avatar": None} if named == "picture" else {}
    type(video).objects.filter(pk=video.pk).update(**{named: upload}, **kind)
    shown = data_of(owner.client.get(f"{PATH}/{upload.pk}"))
    assert (shown["in_use"], shown["expires_at"]) == (True, None)
    with nothing_changes():
        assert refusal_of(owner.client.delete(f"{PATH}/{upload.pk}")) == (409, "conflict")


def test_an_upload_of_another_account_is_not_there(owner, outsider):
    upload = make_upload(owner)
    for answer in (
        outsider.client.get(f"{PATH}/{upload.pk}"),
        outsider.client.delete(f"{PATH}/{upload.pk}"),
        outsider.client.get(f"{PATH}/{uuid.uuid4()}"),
    ):
        assert refusal_of(answer) == (404, "not_found")


# ── Limits


def limit(**limits: int) -> None:
    Tier.objects.filter(code="free").update(**limits)


def test_uploads_a_day_are_limited_deleted_ones_included(owner):
    limit(uploads_per_day=2)
    make_upload(owner, created_at=timezone.now() - timedelta(hours=25))
    make_upload(owner, created_at=timezone.now() - timedelta(hours=20), deleted_at=timezone.now())
    data_of(send(owner.client, media_files.picture()), 201)
    with nothing_changes():
        answer = send(owner.client, media_files.picture())
    assert refusal_of(answer) == (429, "rate_limited")
    assert 3.9 * 3600 < int(answer["Retry-After"]) <= 4 * 3600
    assert "uploads_per_day" in answer.json()["error"]["message"]


def test_bytes_kept_are_limited_deleted_ones_left_out(owner):
    limit(upload_bytes=1_000_000)
    make_upload(owner, bytes=999_999, deleted_at=timezone.now())
    data_of(send(owner.client, media_files.picture()), 201)
    make_upload(owner, bytes=999_999)
    with nothing_changes():
        answer = send(owner.client, media_files.picture())
    assert refusal_of(answer) == (413, "upload_too_large")
    assert "upload_bytes" in answer.json()["error"]["message"]


def test_the_last_byte_of_a_plan_can_be_used(owner):
    limit(upload_bytes=1_000_000)
    make_upload(owner, bytes=999_999)
    require_capacity(owner.account.pk, 1)
    with pytest.raises(UploadTooLarge):
        require_capacity(owner.account.pk, 2)


def test_audio_of_ours_counts_for_no_limit(owner):
    limit(uploads_per_day=1)
    make_upload(owner, origin=UploadOrigin.SPEECH, kind=UploadKind.AUDIO)
    data_of(send(owner.client, media_files.picture()), 201)


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_do_not_both_take_the_last_place(owner):
    limit(uploads_per_day=1)
    content = media_files.picture()
    statuses = [answer.status_code for answer in in_parallel([lambda: send(owner.client, content)] * 3)]
    assert sorted(statuses) == [201, 429, 429]
    assert Upload.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_do_not_both_take_the_last_bytes(owner):
    content = media_files.wav(10)
    limit(upload_bytes=2 * len(content) - 1)
    before = len(files_on_disk())
    answers = in_parallel([lambda: send(owner.client, content)] * 3)
    assert sorted(answer.status_code for answer in answers) == [201, 413, 413]
    assert {refusal_of(answer)[1] for answer in answers if answer.status_code == 413} == {"upload_too_large"}
    assert (Upload.objects.count(), len(files_on_disk()) - before) == (1, 1)

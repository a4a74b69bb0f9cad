"""The admin page of uploads: found by what staff are told of them, read-only, with a constant number of queries."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from avatars import jobs
from avatars.models import Upload
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm
from genvid.tests.employees import employee
from genvid.tests.factories import make_video
from genvid.tests.uploads import make_upload

pytestmark = pytest.mark.django_db
PAGE = "/admin/avatars/upload/"
CHECKSUM = "ab" * 32


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", "correct horse battery staple"))
    return client


def found(staff: Client, query: str) -> list[str]:
    return [upload.filename for upload in staff.get(PAGE, {"q": query}).context["cl"].result_list]


@pytest.mark.parametrize("by", ["id", "account", "checksum", "name"])
def test_an_upload_is_found_by(staff, owner, outsider, by):
    upload = make_upload(owner, filename="mine.png", sha256=CHECKSUM)
    make_upload(outsider, filename="other.png", sha256="cd" * 32)
    query = {"id": str(upload.pk), "account": owner.account.name, "checksum": CHECKSUM, "name": "mine"}[by]
    assert found(staff, query) == ["mine.png"]


def test_the_list_is_read_with_the_same_queries_however_long(staff, owner):
    make_upload(owner)
    few = queries_once_warm(lambda: staff.get(PAGE))
    for _ in range(4):
        make_upload(owner)
    assert queries_once_warm(lambda: staff.get(PAGE)) == few


def test_an_upload_is_shown_and_not_changed(staff, owner):
    upload = make_upload(owner)
    page = f"{PAGE}{upload.pk}/change/"
    assert staff.get(page).status_code == 200
    assert [staff.post(each).status_code for each in (page, f"{PAGE}add/", f"{PAGE}{upload.pk}/delete/")] == [403] * 3


# ── Deleting


@pytest.fixture
def remover() -> Client:
    return employee("view_upload", "delete_upload")


def delete(client: Client, upload: Upload, **given: str) -> Any:
    address = reverse("admin:avatars_upload_delete_upload", args=[upload.pk])
    return client.post(address, {"confirmed": "yes", **given}, follow=True)


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_staff_delete_an_upload_as_its_owner_would(remover, owner, woken, django_capture_on_commit_callbacks):
    upload = make_upload(owner)
    with django_capture_on_commit_callbacks(execute=True):
        assert messages_of(delete(remover, upload, reason="A stranger's face.")) == ["Deleted."]
    assert Upload.objects.get().deleted_at is not None
    assert (jobs.WORK_ON_UPLOAD.name, str(upload.pk)) in woken
    assert data_of(owner.client.get("/api/v1/uploads")) == []


def test_the_reason_of_a_deletion_is_in_the_audit_log_of_the_account(remover, owner):
    upload = make_upload(owner)
    delete(remover, upload, reason="A stranger's face.")
    entry = AuditEntry.objects.get(act="staff.upload_deleted")
    assert (entry.by_staff, entry.account_id) == (True, owner.account.pk)
    assert entry.detail == {"upload": str(upload.pk), "kind": "image", "reason": "A stranger's face."}


def test_an_upload_in_use_is_not_deleted_and_staff_are_told_why(remover, owner):
    upload = make_upload(owner)
    make_video(owner, "queued", background_upload=upload)
    with nothing_changes():
        answer = delete(remover, upload, reason="A stranger's face.")
    assert messages_of(answer) == ["Something is made with this upload: delete that first."]


def test_an_upload_is_deleted_once(remover, owner):
    upload = make_upload(owner)
    delete(remover, upload, reason="First.")
    with nothing_changes():
        assert messages_of(delete(remover, upload, reason="Second.")) == ["It was deleted before."]


def test_an_upload_is_not_deleted_without_a_reason(remover, owner):
    upload = make_upload(owner)
    with nothing_changes():
        assert delete(remover, upload, reason=" ").status_code == 200
        assert remover.get(reverse("admin:avatars_upload_delete_upload", args=[upload.pk])).status_code == 200


def test_who_may_only_look_deletes_no_upload(owner):
    upload, viewer = make_upload(owner), employee("view_upload")
    with nothing_changes():
        assert delete(viewer, upload, reason="A stranger's face.").status_code == 403

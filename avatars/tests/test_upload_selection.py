"""Which uploads something new may be made with, and the lock that keeps them."""

import io
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.utils import timezone

from avatars.enums import UploadKind, UploadOrigin, UploadStatus
from avatars.models import Upload
from avatars.uploads.intake import keep_file
from avatars.uploads.selection import usable_upload
from genvid.errors import UploadRefused
from genvid.tests import media_files
from genvid.tests.asserts import queries_of
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
IMAGE = [UploadKind.IMAGE]


def make(owner, **facts) -> Upload:
    return Upload.objects.create(account=owner.account, kind=UploadKind.IMAGE, **facts)


def test_an_account_may_use_its_own_ready_upload(owner):
    upload = make(owner)
    assert usable_upload(owner.account.pk, upload.pk, IMAGE, is_test=False) == upload


@pytest.mark.parametrize(
    "facts",
    [
        {"status": UploadStatus.WAITING},
        {"is_test": True},
        {"origin": UploadOrigin.SPEECH},
        {"deleted_at": timezone.now()},
    ],
    ids=lambda facts: next(iter(facts)),
)
def test_an_upload_that_is_not_to_be_had_is_none(owner, facts):
    upload = make(owner, **facts)
    assert usable_upload(owner.account.pk, upload.pk, IMAGE, is_test=False) is None


def test_an_upload_of_another_account_kind_or_id_is_none(owner, outsider):
    upload = make(owner)
    assert usable_upload(outsider.account.pk, upload.pk, IMAGE, is_test=False) is None
    assert usable_upload(owner.account.pk, upload.pk, [UploadKind.AUDIO], is_test=False) is None
    assert usable_upload(owner.account.pk, uuid.uuid4(), IMAGE, is_test=False) is None


@pytest.mark.parametrize("lock", [False, True])
def test_an_upload_is_found_by_one_query(owner, lock):
    upload = make(owner)
    found = []
    count = queries_of(
        lambda: found.append(usable_upload(owner.account.pk, upload.pk, IMAGE, is_test=False, lock=lock))
    )
    assert (found, count) == ([upload], 1)


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_is_locked_for_use_cannot_be_removed_meanwhile_but_be_used_by_others(owner):
    upload = make(owner)

    def use() -> Upload | None:
        with transaction.atomic():
            return usable_upload(owner.account.pk, upload.pk, IMAGE, is_test=False, lock=True)

    def remove() -> list[Upload]:
        with transaction.atomic():
            return list(Upload.objects.select_for_update(nowait=True).filter(pk=upload.pk))

    with transaction.atomic():
        use()
        [used, removed] = in_parallel([use, remove])
    assert used == upload
    assert isinstance(removed, OperationalError) is connection.features.has_select_for_update_nowait


def test_a_file_of_ours_is_kept_with_its_length_and_out_of_its_owners_sight(owner):
    upload = keep_file(owner.account.pk, io.BytesIO(media_files.mp3(50)), kind=UploadKind.AUDIO, filename="a.mp3")
    facts = (upload.origin, upload.status, upload.kind, upload.content_type, str(upload.duration_seconds))
    assert facts == ("speech", "ready", "audio", "audio/mpeg", "1.306")
    assert upload.file.size == upload.bytes
    assert timedelta(hours=23) < upload.expires_at - timezone.now() < timedelta(hours=25)


def test_a_file_of_another_kind_than_expected_is_refused_and_leaves_nothing(owner):
    with pytest.raises(UploadRefused):
        keep_file(owner.account.pk, io.BytesIO(media_files.wav()), kind=UploadKind.IMAGE)
    assert Upload.objects.count() == 0

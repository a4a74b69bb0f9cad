"""The lock of the uploads that orders of videos name."""

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError

from avatars.models import Upload
from genvid.tests.factories import make_request, make_upload
from genvid.tests.parallel import in_parallel
from videos.kinds import material
from videos.kinds.subjects import Orderer, Uploads

pytestmark = pytest.mark.django_db(transaction=True)


def test_uploads_of_an_order_cannot_be_removed_meanwhile_but_be_ordered_by_others(owner):
    upload = make_upload(owner)
    request = make_request(background={"type": "image", "upload_id": str(upload.pk)})

    def order() -> Uploads:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL lock_timeout = '2s'")
            return material.uploads_of([request], Orderer(owner.account.pk, is_test=False))

    def remove() -> list[Upload]:
        with transaction.atomic():
            return list(Upload.objects.select_for_update(nowait=True).filter(pk=upload.pk))

    with transaction.atomic():
        order()
        [ordered, removed] = in_parallel([order, remove])
    assert ordered == {upload.pk: upload}
    assert isinstance(removed, OperationalError) is connection.features.has_select_for_update_nowait

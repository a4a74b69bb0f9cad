"""The admin page of uploads: found by what staff are told of them, read-only, with a constant number of queries."""

import pytest
from django.test import Client

from accounts.models import User
from genvid.tests.asserts import queries_once_warm
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

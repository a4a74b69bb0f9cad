"""The copy of an upload at HeyGen, over real HTTP, against the sandbox."""

import io
from unittest.mock import ANY

import pytest

from avatars.enums import UploadKind
from avatars.models import Upload
from avatars.uploads.assets import asset_id_of, forget_asset
from avatars.uploads.intake import keep_file
from genvid.heygen import assets
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import Busy, HeyGenError, InProgress, Unknown
from genvid.tests import heygen_assets, media_files
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


def keep(owner, content: bytes | None = None, kind: UploadKind = UploadKind.IMAGE) -> Upload:
    return keep_file(owner.account.pk, io.BytesIO(content or media_files.picture()), kind=kind)


@pytest.fixture
def upload(owner) -> Upload:
    return keep(owner)


def kept(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


def test_the_first_use_sends_the_file_and_later_ones_find_its_id(sandbox, upload):
    first = asset_id_of(upload, get_client())
    again = asset_id_of(kept(upload), get_client())
    assert again == first == kept(upload).provider_asset_id
    assert heygen_assets.names(sandbox) == [f"{upload.pk}.png"]
    assert kept(upload).due_at is None


def test_heygen_gets_the_stored_file(sandbox, upload):
    asset_id_of(upload, get_client())
    [asset] = heygen_assets.listed(sandbox)
    with upload.file.open("rb") as file:
        assert heygen_assets.content_of(asset) == file.read()


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        (media_files.wav(), UploadKind.AUDIO, "wav"),
        (media_files.mp3(), UploadKind.AUDIO, "mp3"),
        (media_files.film(), UploadKind.VIDEO, "mp4"),
        (media_files.film("webm"), UploadKind.VIDEO, "webm"),
        (media_files.picture("JPEG"), UploadKind.IMAGE, "jpg"),
    ],
)
def test_heygen_takes_every_kind_of_file_that_we_keep(sandbox, owner, content, kind, name):
    upload = keep(owner, content, kind)
    asset_id_of(upload, get_client())
    assert heygen_assets.names(sandbox) == [f"{upload.pk}.{name}"]


def test_two_workers_at_once_make_one_asset(sandbox, upload):
    sandbox.fault(kind="delay", path="/v3/assets", seconds=0.3)
    answers = in_parallel([lambda: asset_id_of(kept(upload), get_client())] * 2)
    known = kept(upload).provider_asset_id
    assert [each for each in answers if each != known and not isinstance(each, InProgress)] == []
    assert heygen_assets.names(sandbox) == [f"{upload.pk}.png"]


def test_a_lost_answer_is_asked_for_with_the_same_key(sandbox, upload):
    sandbox.fault(kind="lost", path="/v3/assets")
    with pytest.raises(Unknown):
        asset_id_of(upload, get_client())
    key = kept(upload).asset_key
    assert (kept(upload).provider_asset_id, kept(upload).due_at) == ("", ANY)
    assert kept(upload).due_at is not None
    asset_id_of(kept(upload), get_client())
    assert kept(upload).asset_key == key
    assert heygen_assets.names(sandbox) == [f"{upload.pk}.png"]


def test_a_refusal_that_makes_nothing_leaves_no_key(sandbox, upload):
    sandbox.fault(path="/v3/assets", status=429)
    with pytest.raises(Busy):
        asset_id_of(upload, get_client())
    assert (kept(upload).asset_key, kept(upload).due_at) == ("", None)


@pytest.mark.parametrize("status", [401, 402, 429])
def test_a_refusal_after_a_lost_answer_keeps_the_key_that_finds_the_asset(sandbox, upload, status):
    sandbox.fault(kind="lost", path="/v3/assets")
    with pytest.raises(Unknown):
        asset_id_of(upload, get_client())
    sandbox.fault(method="POST", path="/v3/assets", status=status)
    with pytest.raises(HeyGenError):
        asset_id_of(kept(upload), get_client())
    found = asset_id_of(kept(upload), get_client())
    assert [row["id"] for row in heygen_assets.listed(sandbox)] == [found]


def test_an_asset_that_heygen_has_lost_is_sent_anew(sandbox, upload):
    first = asset_id_of(upload, get_client())
    heygen_assets.delete(sandbox, first)
    forget_asset(upload)
    second = asset_id_of(upload, get_client())
    assert second != first
    assert [row["id"] for row in heygen_assets.listed(sandbox)] == [second]


def test_a_large_file_goes_straight_to_heygens_storage(sandbox, upload, monkeypatch):
    monkeypatch.setattr(assets, "MOST_IN_ONE_CALL", 10)
    asset_id_of(upload, get_client())
    [asset] = heygen_assets.listed(sandbox)
    assert asset["id"] == kept(upload).provider_asset_id
    with upload.file.open("rb") as file:
        assert heygen_assets.content_of(asset) == file.read()


@pytest.mark.parametrize("path", ["/v3/assets/direct-uploads", "/v3/assets/*/complete"])
def test_a_large_file_is_sent_once_whichever_answer_is_lost(sandbox, upload, monkeypatch, path):
    monkeypatch.setattr(assets, "MOST_IN_ONE_CALL", 10)
    sandbox.fault(kind="lost", path=path)
    with pytest.raises(Unknown):
        asset_id_of(upload, get_client())
    asset_id_of(kept(upload), get_client())
    assert heygen_assets.names(sandbox) == [f"{upload.pk}.png"]


def test_heygen_forgets_an_asset_once(sandbox, upload):
    asset_id = asset_id_of(upload, get_client())
    assert get_client().delete_asset(asset_id) is True
    assert get_client().delete_asset(asset_id) is False
    assert heygen_assets.listed(sandbox) == []

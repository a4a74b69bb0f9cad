"""The copy of an upload at HeyGen, over real HTTP, against the sandbox."""

import io
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any
from unittest.mock import ANY

import pytest

from avatars.enums import UploadKind
from avatars.models import Upload
from avatars.uploads import removal
from avatars.uploads.assets import asset_id_of, forget_asset
from avatars.uploads.intake import keep_file
from genvid.heygen import assets
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import Busy, HeyGenError, InProgress, OperatorProblem, Refused, Unknown
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


class Meanwhile:
    """HeyGen's client, whose call that sends a file does something else first, and then fails or sends it."""

    def __init__(self, act: Callable[[], Any], error: HeyGenError | None = None) -> None:
        self.act, self.error = act, error

    def create_asset(self, *args: Any, **options: Any) -> str:
        self.act()
        if self.error:
            raise self.error
        return get_client().create_asset(*args, **options)


class Late(Meanwhile):
    """The answer to the call comes before `act`, and is told after it."""

    def create_asset(self, *args: Any, **options: Any) -> str:
        asset_id = get_client().create_asset(*args, **options)
        self.act()
        return asset_id


def test_an_answer_after_the_removal_of_its_upload_gives_it_no_asset_again(sandbox, upload):
    def remove() -> None:
        # Another worker has the answer to the call whose own is late.
        asset_id_of(kept(upload), get_client())
        removal.delete_upload(kept(upload))
        removal.work_on(str(upload.pk))

    asset_id_of(upload, Late(remove))
    assert (kept(upload).asset_key, kept(upload).provider_asset_id) == ("", "")
    assert heygen_assets.listed(sandbox) == []


REFUSALS = [Busy("rate_limit_exceeded", status=429), OperatorProblem("insufficient_credit", status=402)]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: each.code)
def test_a_refusal_of_the_first_worker_leaves_the_key_to_one_whose_call_runs(sandbox, upload, refusal):
    def first_is_refused() -> None:
        sent.set()
        first.join()

    sent, late = Event(), kept(upload)
    first = Thread(target=lambda: outcome.extend(in_parallel([refused])))
    outcome: list[Any] = []

    def refused() -> Any:
        with pytest.raises(type(refusal)):
            asset_id_of(upload, Meanwhile(sent.wait, refusal))

    first.start()
    while not kept(upload).asset_key:
        time.sleep(0.01)
    found = asset_id_of(late, Meanwhile(first_is_refused))
    assert outcome == [None]
    assert kept(upload).provider_asset_id == found == asset_id_of(kept(upload), get_client())
    assert [row["id"] for row in heygen_assets.listed(sandbox)] == [found]
    assert kept(upload).due_at is None


def test_an_asset_whose_key_another_worker_gave_up_is_remembered(sandbox, upload):
    def another_is_refused() -> None:
        with pytest.raises(Refused):
            asset_id_of(kept(upload), Meanwhile(lambda: None, Refused("invalid_parameter", status=400)))

    found = asset_id_of(upload, Meanwhile(another_is_refused))
    assert kept(upload).provider_asset_id == found
    assert [row["id"] for row in heygen_assets.listed(sandbox)] == [found]


CONFLICTS = [{"status": 409, "code": code} for code in ("request_in_progress", "conflict", "invalid_parameter")]


@pytest.mark.parametrize("fault", [*CONFLICTS, {"status": 429}], ids=lambda each: each.get("code", "429"))
def test_a_worker_that_is_refused_while_another_sends_the_file_waits_and_keeps_the_key(sandbox, upload, fault):
    seen: list[HeyGenError] = []

    def another_is_refused() -> None:
        sandbox.fault(path="/v3/assets", **fault)
        with pytest.raises(HeyGenError) as caught:
            asset_id_of(kept(upload), get_client())
        seen.append(caught.value)

    found = asset_id_of(upload, Meanwhile(another_is_refused))
    assert [type(each) for each in seen] == [Busy if fault["status"] == 429 else InProgress]
    assert asset_id_of(kept(upload), get_client()) == found
    assert [row["id"] for row in heygen_assets.listed(sandbox)] == [found]


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_deleted_upload_is_not_sent_by_a_worker_that_read_it_before(sandbox, upload, is_removed):
    before = kept(upload)
    removal.delete_upload(upload)
    if is_removed:
        removal.work_on(str(upload.pk))
    with pytest.raises(FileNotFoundError):
        asset_id_of(before, get_client())
    assert kept(upload).asset_key == ""
    assert sandbox.made_objects() == []


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

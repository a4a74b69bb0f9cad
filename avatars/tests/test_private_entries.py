"""Private looks and voices of the operator's HeyGen account: only staff see them until they are released."""

import base64
import uuid

import httpx
import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.signals import account_erasing
from avatars import jobs, releases
from avatars.catalogue_sync import sync_catalogue
from avatars.models import Avatar, Voice
from avatars.receivers import withdraw_from_erased
from avatars.tests.heygen_double import HeyGenDouble, look, voice
from genvid.heygen.heygen_client import get_client
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, make_avatar, make_voice
from genvid.tests.jobs import run_job

pytestmark = pytest.mark.django_db
AVATARS, VOICES, VIDEOS = "/api/v1/avatars", "/api/v1/voices", "/api/v1/videos"
PHOTO = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()


@pytest.fixture
def boss(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", "correct horse battery staple"))
    return client


def sync(*looks, voices=None) -> None:
    sync_catalogue(HeyGenDouble(list(looks) or [look()], voices if voices is not None else [voice()]))


def states(model) -> dict[str, tuple[bool | None, bool]]:
    return {row.provider_id: (row.is_private, row.is_released) for row in model.objects.all()}


def names(person, path: str) -> list[str]:
    return sorted(row["name"] for row in data_of(person.client.get(path)))


# ── The sync


def test_a_private_look_and_a_private_voice_are_synced_and_not_released():
    sync(look("a"), look("b", is_private=True), voices=[voice("c"), voice("d", is_private=True)])
    assert states(Avatar) == {"a": (False, True), "b": (True, False)}
    assert states(Voice) == {"c": (False, True), "d": (True, False)}


def test_private_rows_synced_before_become_unreleased_at_the_next_sync():
    make_avatar(provider_id="a", is_private=None, default_voice=None)
    make_avatar(provider_id="b", is_private=None, default_voice=None)
    make_voice(provider_id="c", is_private=None)
    sync(look("a"), look("b", is_private=True), voices=[voice("c", is_private=True)])
    assert states(Avatar) == {"a": (False, True), "b": (True, False)}
    assert states(Voice) == {"c": (True, False)}


def test_a_private_look_that_still_trains_is_unreleased_too():
    make_avatar(provider_id="b", is_private=None, default_voice=None)
    sync(look("a"), look("b", is_private=True, is_ready=False))
    assert states(Avatar)["b"] == (True, False)


def test_a_row_that_becomes_private_is_withdrawn_by_the_next_sync():
    sync(look("a"))
    sync(look("a", is_private=True))
    assert states(Avatar) == {"a": (True, False)}


def test_what_staff_have_released_stays_released_after_a_sync(owner):
    sync(look("a", is_private=True))
    avatar = Avatar.objects.get()
    releases.release(avatar, account=owner.account, staff_id=owner.user.pk)
    sync(look("a", name="New", is_private=True))
    avatar.refresh_from_db()
    assert (avatar.name, avatar.is_released, avatar.account_id) == ("New", True, owner.account.pk)


def test_a_private_look_that_is_gone_is_retired(owner):
    sync(look("a"), look("b", is_private=True))
    sync(look("a"))
    avatar = Avatar.objects.get(provider_id="b")
    assert (avatar.is_available, avatar.is_released) == (False, False)


def test_a_released_look_keeps_its_release_while_heygen_does_not_list_it(owner):
    sync(look("a"), look("b", is_private=True))
    releases.release(Avatar.objects.get(provider_id="b"), account=owner.account, staff_id=owner.user.pk)
    sync(look("a"))
    sync(look("a"), look("b", is_private=True))
    avatar = Avatar.objects.get(provider_id="b")
    assert (avatar.is_available, avatar.is_private, avatar.is_released) == (True, True, True)
    assert avatar.account_id == owner.account.pk


@pytest.mark.parametrize("model", [Avatar, Voice])
def test_unclassified_rows_are_classified_by_the_first_sync_job(sandbox, model):
    sync_catalogue(get_client())
    model.objects.update(is_private=None)
    run_job(jobs.SYNC_WHEN_EMPTY)
    assert set(model.objects.values_list("is_private", flat=True)) == {False}


def test_the_private_look_and_voice_of_the_providers_account_reach_no_customer(sandbox, owner):
    sandbox.configure(avatar_seconds=0)
    with httpx.Client(base_url=sandbox.url, headers={"X-Api-Key": sandbox.api_key}, timeout=120) as heygen:
        photo = {"type": "base64", "media_type": "image/png", "data": PHOTO}
        look_of_boss = {"type": "photo", "name": "The boss", "file": photo}
        assert heygen.post("/v3/avatars", json=look_of_boss).status_code == 200
        preview = heygen.get(heygen.get("/v3/voices").json()["data"][0]["preview_audio_url"]).content
        audio = {"type": "base64", "media_type": "audio/wav", "data": base64.b64encode(preview).decode()}
        voice_of_boss = {"voice_name": "The boss speaks", "audio": audio}
        assert heygen.post("/v3/voices/clone", json=voice_of_boss).status_code == 200

    sync_catalogue(get_client())

    avatar, own_voice = Avatar.objects.get(name="The boss"), Voice.objects.get(name="The boss speaks")
    assert [(row.is_private, row.is_released) for row in (avatar, own_voice)] == [(True, False)] * 2
    assert data_of(owner.client.get(AVATARS, {"search": "The boss"})) == []
    assert data_of(owner.client.get(VOICES, {"search": "The boss"})) == []
    with nothing_changes():
        order = owner.client.post(VIDEOS, {"script": "I resign.", "avatar_id": str(avatar.pk)})
    assert wrong_fields_of(order) == ["avatar_id"]


# ── What clients see


UNRELEASED = {"is_private": True, "is_released": False}


@pytest.fixture(params=["unreleased", "another account's"])
def withheld(request, outsider):
    """The fields of a row that the owner may not see."""
    if request.param == "unreleased":
        return UNRELEASED
    return {"is_private": True, "is_released": True, "account": outsider.account}


def test_a_withheld_row_is_in_no_list_and_a_404(owner, withheld):
    avatar = make_avatar(**withheld)
    own_voice = make_voice(**withheld)
    make_avatar(name="Public", default_voice=None)
    assert names(owner, AVATARS) == ["Public"]
    assert own_voice.name not in names(owner, VOICES)
    assert refusal_of(owner.client.get(f"{AVATARS}/{avatar.pk}")) == (404, "not_found")
    assert refusal_of(owner.client.get(f"{VOICES}/{own_voice.pk}")) == (404, "not_found")


@pytest.mark.parametrize("path", [VIDEOS, f"{VIDEOS}/quote"])
def test_no_video_is_quoted_or_made_with_a_withheld_avatar_or_voice(owner, withheld, path):
    avatar, public = make_avatar(**withheld), make_avatar()
    own_voice = make_voice(**withheld)
    with nothing_changes():
        with_avatar = owner.client.post(path, {"script": "I resign.", "avatar_id": str(avatar.pk)})
        with_voice = owner.client.post(
            path, {"script": "I resign.", "avatar_id": str(public.pk), "voice_id": str(own_voice.pk)}
        )
    assert (wrong_fields_of(with_avatar), wrong_fields_of(with_voice)) == (["avatar_id"], ["voice_id"])


@pytest.mark.parametrize("path", ["/api/v1/batches", "/api/v1/batches/quote"])
def test_no_batch_is_quoted_or_made_with_a_withheld_avatar(owner, withheld, path):
    avatar = make_avatar(**withheld)
    body = {"script": "Hi {{name}}.", "avatar_id": str(avatar.pk), "rows": [{"name": "Ada"}]}
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(path, body)) == ["avatar_id"]


def test_a_draft_whose_avatar_was_withdrawn_is_not_generated(owner, avatar):
    draft = data_of(owner.client.post(VIDEOS, {"script": "Hi.", "avatar_id": str(avatar.pk), "draft": True}), 201)
    Avatar.objects.update(**UNRELEASED)
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(f"{VIDEOS}/{draft['id']}/generate")) == ["avatar_id"]


def test_a_withheld_default_voice_is_neither_shown_nor_used(owner, withheld):
    avatar = make_avatar(default_voice=make_voice(**withheld))
    assert data_of(owner.client.get(f"{AVATARS}/{avatar.pk}"))["default_voice_id"] is None
    with nothing_changes():
        order = owner.client.post(VIDEOS, {"script": "Hi.", "avatar_id": str(avatar.pk)})
    assert wrong_fields_of(order) == ["voice_id"]


def test_a_row_released_to_an_account_is_for_that_account_alone(owner, outsider):
    fields = {"is_private": True, "is_released": True, "account": owner.account}
    avatar = make_avatar(name="Mine", default_voice=make_voice(name="My voice", **fields), **fields)
    assert (names(owner, AVATARS), names(outsider, AVATARS)) == (["Mine"], [])
    assert (names(owner, VOICES), names(outsider, VOICES)) == (["My voice"], [])
    order = owner.client.post(VIDEOS, {"script": "Hi.", "avatar_id": str(avatar.pk)})
    assert data_of(order, 201)["avatar_id"] == str(avatar.pk)


def test_the_etag_of_one_account_is_not_good_for_another(owner, outsider):
    make_avatar(default_voice=None)
    make_avatar(is_private=True, account=owner.account, default_voice=None)
    etag = owner.client.get(AVATARS)["ETag"]
    assert outsider.client.get(AVATARS, HTTP_IF_NONE_MATCH=etag).status_code == 200


# ── Releasing by hand


def act_on(client: Client, row, name: str, **form: str):
    url = reverse(f"admin:avatars_{row._meta.model_name}_{name}", args=[row.pk])
    return client.post(url, {"confirmed": "yes", **form})


@pytest.mark.parametrize("make", [make_avatar, make_voice])
def test_staff_release_a_row_to_one_account_and_it_is_audited(boss, owner, make):
    row = make(**UNRELEASED)
    act_on(boss, row, "release_entry", audience="account", account_id=str(owner.account.pk))
    row.refresh_from_db()
    assert (row.is_released, row.account_id) == (True, owner.account.pk)
    entry = AuditEntry.objects.get(act="catalogue.released")
    assert (entry.by_staff, entry.user.email, entry.account_id) == (True, "boss@example.com", owner.account.pk)
    assert entry.detail["entry"] == str(row.pk)


def test_staff_release_a_row_to_all(boss, owner):
    avatar = make_avatar(**UNRELEASED)
    act_on(boss, avatar, "release_entry", audience="all", account_id="")
    assert names(owner, AVATARS) == [avatar.name]
    assert AuditEntry.objects.get(act="catalogue.released").detail["to"] == "all accounts"


def test_staff_withdraw_a_row_and_it_is_audited(boss, owner):
    avatar = make_avatar(is_private=True, account=owner.account)
    act_on(boss, avatar, "withdraw_entry")
    avatar.refresh_from_db()
    assert (avatar.is_released, avatar.account_id, names(owner, AVATARS)) == (False, None, [])
    assert AuditEntry.objects.get(act="catalogue.withdrawn").account_id == owner.account.pk


def test_rows_released_to_an_erased_account_are_withdrawn(owner, outsider):
    private = {"is_private": True, "is_released": True}
    mine, theirs = (
        [make(account=person.account, **private) for make in (make_avatar, make_voice)] for person in (owner, outsider)
    )
    answers = dict(account_erasing.send_robust(sender=None, account_id=owner.account.pk))
    assert answers[withdraw_from_erased] == ""
    for row in (*mine, *theirs):
        row.refresh_from_db()
    assert [(row.is_released, row.account_id) for row in mine] == [(False, None)] * 2
    assert [(row.is_released, row.account_id) for row in theirs] == [(True, outsider.account.pk)] * 2


@pytest.mark.parametrize(
    "form",
    [
        {"audience": "account", "account_id": ""},
        {"audience": "account", "account_id": str(uuid.uuid4())},
        {"audience": "account", "account_id": "Olive"},
        {"audience": "all", "account_id": str(uuid.uuid4())},
        {"audience": "", "account_id": ""},
    ],
)
def test_a_release_without_a_valid_audience_releases_nothing(boss, form):
    avatar = make_avatar(**UNRELEASED)
    with nothing_changes():
        assert act_on(boss, avatar, "release_entry", **form).status_code == 200


def test_an_unclassified_row_cannot_be_released(boss):
    avatar = make_avatar(is_private=None, is_released=False)
    act_on(boss, avatar, "release_entry", audience="all", account_id="")
    avatar.refresh_from_db()
    assert avatar.is_released is False


def test_the_confirmation_page_releases_nothing(boss):
    avatar = make_avatar(**UNRELEASED)
    with nothing_changes():
        assert boss.get(reverse("admin:avatars_avatar_release_entry", args=[avatar.pk])).status_code == 200


@pytest.mark.parametrize("permissions", [[], ["view_avatar"]], ids=["none", "to look"])
def test_staff_without_the_permission_neither_release_nor_withdraw(owner, permissions):
    client, withheld = Client(), make_avatar(**UNRELEASED)
    released = make_avatar(is_private=True, account=owner.account)
    clerk = User.objects.create_user("clerk@example.com", PASSWORD, is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(clerk)
    with nothing_changes():
        assert act_on(client, withheld, "release_entry", audience="all", account_id="").status_code == 403
        assert act_on(client, released, "withdraw_entry").status_code == 403

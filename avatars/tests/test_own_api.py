"""The endpoints of own avatars and voices."""

import pytest
from django.db.models import QuerySet

from accounts.models import AuditEntry
from avatars.enums import CreationKind, EntryStatus
from avatars.models import Avatar, Creation, Upload
from avatars.tests.own_entries import CONSENT, fresh, make_upload, order, run
from billing.models import Hold, Tier
from genvid.tests.asserts import data_of, queries_of, wrong_fields_of
from genvid.tests.factories import make_avatar, make_caller, make_key
from genvid.tests.parallel import in_parallel
from videos.tests.pipeline import Money, money_of

AVATARS, VOICES, VIDEOS = "/api/v1/avatars", "/api/v1/voices", "/api/v1/videos"
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_caller(email="owner@example.com", balance=100)


def code_of(answer) -> str:
    return answer.json()["error"]["code"]


def body(upload, **fields):
    return {"kind": "photo_avatar", "name": "Ada", "upload_id": str(upload.pk), "consent": CONSENT} | fields


def post(person, upload=None, **fields):
    return person.client.post(AVATARS, body(upload or make_upload(person, stored=False), **fields))


def names(person, query: str = "") -> list[str]:
    return [row["name"] for row in data_of(person.client.get(f"{AVATARS}{query}"))]


def test_an_avatar_is_accepted_and_shows_its_hold(owner):
    answer = post(owner)
    shown = data_of(answer, 202)
    assert (shown["owner"], shown["status"], shown["error"]) == ("me", "queued", None)
    assert shown["consent"] == {"status": "given", "url": None}
    assert shown["credits"] == {"held": 20, "charged": 0}
    assert data_of(owner.client.get(f"{AVATARS}/{shown['id']}")) == shown


def test_a_voice_is_accepted(owner):
    upload = make_upload(owner, CreationKind.VOICE_CLONE, stored=False)
    answer = owner.client.post(VOICES, body(upload, kind="clone", language="English"))
    assert (answer.status_code, data_of(answer, answer.status_code)["credits"]) == (202, {"held": 10, "charged": 0})


def test_a_shared_avatar_has_no_consent_and_no_credits(owner, avatar):
    shown = data_of(owner.client.get(f"{AVATARS}/{avatar.pk}"))
    assert (shown["owner"], shown["status"], shown["consent"], shown["credits"]) == ("shared", "ready", None, None)


@pytest.mark.parametrize(
    ("consent", "field"),
    [
        ({}, "consent"),
        ({"consent": None}, "consent"),
        ({"consent": {}}, "consent.is_me"),
        ({"consent": {"confirmed": True}}, "consent.is_me"),
        ({"consent": {"is_me": True}}, "consent.confirmed"),
        ({"consent": {"is_me": True, "confirmed": False}}, "consent.confirmed"),
        ({"consent": {"is_me": False, "confirmed": True}}, "consent.subject_name"),
    ],
    ids=["missing", "null", "empty", "not said whose", "not said", "not confirmed", "nobody named"],
)
def test_without_a_whole_consent_nothing_is_made(owner, consent, field):
    given = body(make_upload(owner, stored=False))
    given.pop("consent")
    answer = owner.client.post(AVATARS, given | consent)
    assert (answer.status_code, code_of(answer)) == (400, "consent_required")
    assert list(answer.json()["error"]["details"]) == [field]
    assert not Creation.objects.exists()
    assert money_of(owner) == Money(100)


def test_the_consent_is_kept_with_address_and_version(owner):
    owner.client.post(AVATARS, body(make_upload(owner, stored=False)), REMOTE_ADDR="127.0.0.9")
    creation = Creation.objects.get()
    assert (creation.consent_address, creation.consent_version) == ("127.0.0.9", "2026-11-30")
    assert (creation.created_by_id, creation.is_me, creation.subject_name) == (owner.user.pk, True, "Ada")
    assert AuditEntry.objects.get(act="consent.given").address == "127.0.0.9"


@pytest.mark.parametrize("kind", ["digital_twin", "photo_avatar"])
def test_a_file_of_another_kind_is_refused(owner, kind):
    assert wrong_fields_of(post(owner, make_upload(owner, CreationKind.VOICE_CLONE, stored=False), kind=kind)) == [
        "upload_id"
    ]


@pytest.mark.parametrize("seconds", ["14.999", "600.001"])
def test_a_film_of_a_length_that_makes_no_twin_is_refused(owner, seconds):
    film = make_upload(owner, CreationKind.DIGITAL_TWIN, stored=False)
    Upload.objects.filter(pk=film.pk).update(duration_seconds=seconds)
    answer = post(owner, film, kind="digital_twin")
    assert (answer.status_code, code_of(answer)) == (400, "validation_error")
    assert answer.json()["error"]["details"] == {
        "upload_id": f"Has {seconds} seconds: a film for a digital twin has 15 to 600."
    }
    assert (Creation.objects.count(), money_of(owner)) == (0, Money(100))


@pytest.mark.parametrize("seconds", ["15.000", "600.000"])
def test_films_of_the_shortest_and_longest_length_make_a_twin(owner, seconds):
    film = make_upload(owner, CreationKind.DIGITAL_TWIN, stored=False)
    Upload.objects.filter(pk=film.pk).update(duration_seconds=seconds)
    assert post(owner, film, kind="digital_twin").status_code == 202


def test_a_file_of_another_account_is_refused(owner, outsider):
    assert wrong_fields_of(post(owner, make_upload(outsider, stored=False))) == ["upload_id"]


def test_without_credits_nothing_is_made(outsider):
    poor = make_caller(balance=19)
    assert code_of(post(poor)) == "insufficient_credits"
    assert not Avatar.objects.exists()


def test_the_plan_limits_how_many_there_are_at_once(owner):
    assert post(owner).status_code == 202
    refused = post(owner)
    assert (refused.status_code, code_of(refused)) == (409, "slots_full")
    assert money_of(owner) == Money(100, held=20, holds=1)


def test_a_deleted_one_frees_its_place(owner):
    made = data_of(post(owner), 202)
    assert owner.client.delete(f"{AVATARS}/{made['id']}").status_code == 204
    assert post(owner).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_of_orders_for_the_last_place_at_once_one_is_accepted(owner):
    uploads = [make_upload(owner, stored=False) for _ in range(4)]
    answers = in_parallel([lambda upload=upload: post(owner, upload).status_code for upload in uploads])
    assert sorted(answers) == [202, 409, 409, 409]
    assert money_of(owner) == Money(100, held=20, holds=1)


def test_a_repeated_key_makes_one(owner):
    upload = make_upload(owner, stored=False)
    first, second = (
        owner.client.post(AVATARS, body(upload), headers={"Idempotency-Key": "once"}).json() for _ in range(2)
    )
    assert first["data"] == second["data"]
    assert Creation.objects.count() == 1


def test_it_can_be_renamed_here(owner):
    made = data_of(post(owner), 202)
    assert data_of(owner.client.patch(f"{AVATARS}/{made['id']}", {"name": "Grace"}))["name"] == "Grace"
    assert names(owner) == ["Grace"]


def test_a_deleted_one_is_gone_and_its_credits_are_back(owner):
    made = data_of(post(owner), 202)
    owner.client.delete(f"{AVATARS}/{made['id']}")
    assert owner.client.get(f"{AVATARS}/{made['id']}").status_code == 404
    assert names(owner) == []
    assert money_of(owner) == Money(100)
    assert AuditEntry.objects.filter(act="consent.withdrawn").count() == 1


def test_what_the_operator_made_cannot_be_deleted_by_its_account(owner):
    avatar = make_avatar(account=owner.account, is_private=True)
    answer = owner.client.delete(f"{AVATARS}/{avatar.pk}")
    assert (answer.status_code, code_of(answer)) == (409, "invalid_state")


def test_nobody_else_sees_it(owner, outsider):
    made = data_of(post(owner), 202)
    assert names(outsider) == names(outsider, "?owner=me") == []
    for method in ("get", "delete"):
        assert getattr(outsider.client, method)(f"{AVATARS}/{made['id']}").status_code == 404


def test_the_owner_filter(owner, avatar):
    post(owner)
    assert (names(owner, "?owner=me"), names(owner, "?owner=shared")) == (["Ada"], [avatar.name])
    assert sorted(names(owner)) == sorted(["Ada", avatar.name])


def test_a_list_shows_how_far_it_is_now_whatever_another_process_did(owner, avatar):
    post(owner)
    seen = [data_of(owner.client.get(AVATARS))[0]["status"]]
    QuerySet.update(Avatar.objects.filter(is_own=True), status="ready")
    seen.append(data_of(owner.client.get(AVATARS))[0]["status"])
    assert seen == ["queued", "ready"]


def test_a_list_of_own_ones_is_never_kept_by_a_browser(owner, avatar):
    assert "max-age" in owner.client.get(AVATARS)["Cache-Control"]
    made = data_of(post(owner), 202)
    for path in (AVATARS, f"{AVATARS}?owner=me", f"{AVATARS}/{made['id']}"):
        assert "no-cache" in owner.client.get(path)["Cache-Control"]


@pytest.mark.usefixtures("still_caches")
def test_the_shared_rows_are_kept_for_accounts_with_own_ones_too(owner, outsider, avatar):
    post(owner)
    for person in (owner, outsider):
        assert names(person, "?owner=shared") == [avatar.name]
        assert queries_of(lambda person=person: names(person, "?owner=shared")) == 0


def test_an_etag_holds_until_something_changes(owner):
    made = data_of(post(owner), 202)
    etag = owner.client.get(AVATARS)["ETag"]
    assert owner.client.get(AVATARS, HTTP_IF_NONE_MATCH=etag).status_code == 304
    owner.client.patch(f"{AVATARS}/{made['id']}", {"name": "Grace"})
    assert owner.client.get(AVATARS, HTTP_IF_NONE_MATCH=etag).status_code == 200


@pytest.mark.usefixtures("still_caches")
def test_a_list_needs_as_many_queries_for_three_as_for_one(owner):
    Tier.objects.update(own_avatars=9)
    post(owner)
    names(owner)
    for_one = queries_of(lambda: names(owner))
    post(owner), post(owner)
    names(owner)
    assert queries_of(lambda: names(owner)) == for_one


def test_only_a_ready_one_can_be_used(owner, voice):
    made = data_of(post(owner), 202)
    answer = owner.client.post(VIDEOS, {"script": "Hello.", "avatar_id": made["id"], "voice_id": str(voice.pk)})
    assert wrong_fields_of(answer) == ["avatar_id"]


def test_a_viewer_may_not_make_one(owner, viewer):
    assert post(viewer, make_upload(owner, stored=False)).status_code == 403


class TestKeys:
    @pytest.fixture(autouse=True)
    def renderer(self, settings):
        settings.TEST_RENDERER_URL = settings.TEST_RENDERER_KEY = "http://127.0.0.1:9"

    def test_a_test_key_makes_it_free_and_marked(self, owner):
        upload = make_upload(owner, is_test=True, stored=False)
        shown = data_of(make_key(owner, mode="test").client.post(AVATARS, body(upload)), 202)
        assert shown["credits"] == {"held": 0, "charged": 0}
        assert Creation.objects.get().is_test and Avatar.objects.get().is_test
        assert money_of(owner) == Money(100)
        assert not Hold.objects.exists()

    def test_each_key_sees_those_of_its_mode_and_a_person_both(self, owner):
        live, test = make_key(owner), make_key(owner, mode="test")
        live.client.post(AVATARS, body(make_upload(owner, stored=False), name="Live"))
        test.client.post(AVATARS, body(make_upload(owner, is_test=True, stored=False), name="Test"))
        assert [names(each) for each in (live, test)] == [["Live"], ["Test"]]
        assert sorted(names(owner)) == ["Live", "Test"]

    def test_without_a_test_renderer_a_test_key_is_refused(self, owner, settings):
        key = make_key(owner, mode="test")
        settings.TEST_RENDERER_URL = ""
        answer = key.client.post(AVATARS, body(make_upload(owner, is_test=True, stored=False)))
        assert code_of(answer) == "provider_unavailable"


@pytest.mark.django_db(transaction=True)
class TestConsentPage:
    def test_a_fresh_page_is_asked_for_at_heygen(self, sandbox, owner):
        sandbox.configure(consent_by_itself=False)
        waiting = run(order(owner, CreationKind.DIGITAL_TWIN), EntryStatus.WAITING_FOR_CONSENT)
        Creation.objects.update(consent_url="", consent_url_expires_at=None)
        answer = owner.client.post(f"{AVATARS}/{waiting.entry_id}/consent")
        consent = data_of(answer, answer.status_code)["consent"]
        assert (consent["status"], consent["url"]) == ("waiting", fresh(waiting).consent_url)
        assert consent["url"].startswith(sandbox.url)

    def test_an_expired_page_is_not_shown(self, sandbox, owner):
        sandbox.configure(consent_by_itself=False)
        waiting = run(order(owner, CreationKind.DIGITAL_TWIN), EntryStatus.WAITING_FOR_CONSENT)
        Creation.objects.update(consent_url_expires_at=waiting.created_at)
        shown = data_of(owner.client.get(f"{AVATARS}/{waiting.entry_id}"))
        assert shown["consent"] == {"status": "waiting", "url": None}

    def test_while_heygen_does_not_answer_it_is_503(self, sandbox, owner):
        sandbox.configure(consent_by_itself=False)
        waiting = run(order(owner, CreationKind.DIGITAL_TWIN), EntryStatus.WAITING_FOR_CONSENT)
        sandbox.fault(method="POST", path="/v3/avatars/*/consent", status=500)
        answer = owner.client.post(f"{AVATARS}/{waiting.entry_id}/consent")
        assert (answer.status_code, code_of(answer)) == (503, "provider_unavailable")
        assert fresh(waiting).consent_url == waiting.consent_url

    def test_while_nobody_is_asked_it_is_409(self, owner):
        creation = order(owner, stored=False)
        answer = owner.client.post(f"{AVATARS}/{creation.entry_id}/consent")
        assert code_of(answer) == "invalid_state"

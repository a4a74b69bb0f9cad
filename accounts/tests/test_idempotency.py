"""`Idempotency-Key`, tested with `POST /videos`."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts import jobs
from accounts.enums import Role
from accounts.idempotency import LEASE
from accounts.models import IdempotencyRecord, Invitation, Membership
from accounts.teams import invitations
from billing.models import RenderRate
from genvid.errors import (
    DomainError,
    InsufficientCredits,
    NotAuthenticated,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    ValidationFailed,
)
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, the_ledger_proves, wrong_fields_of
from genvid.tests.clocks import still_clocks
from genvid.tests.factories import (
    make_avatar,
    make_caller,
    make_invitation,
    make_teammate,
    make_video,
    set_balance,
    sign_in,
)
from genvid.tests.jobs import run_job
from genvid.tests.parallel import in_parallel
from videos.models import Video

pytestmark = pytest.mark.django_db
VIDEOS = "/api/v1/videos"


@pytest.fixture
def payload(avatar):
    return {"script": "Hello there.", "avatar_id": str(avatar.pk)}


def post(person, body: Any, key: str | None = "key-1", path: str = VIDEOS):
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return person.client.post(path, body, **headers)


def abandon(person, payload) -> None:
    """Leave a claim without a response, as a crashed process does."""
    post(person, payload)
    Video.objects.all().delete()
    IdempotencyRecord.objects.update(status=None, answer="")


def test_repeated_request_gets_the_stored_response(owner, payload):
    first, second = post(owner, payload), post(owner, payload)
    assert (second.status_code, data_of(second, 201)) == (201, data_of(first, 201))
    assert Video.objects.count() == 1


def test_only_replayed_responses_have_the_replayed_header(owner, payload):
    headers = [post(owner, payload).headers.get("Idempotent-Replayed") for _ in range(3)]
    assert headers == [None, "true", "true"]


def test_stored_response_does_not_change_with_the_video(owner, payload):
    first = data_of(post(owner, payload), 201)
    owner.client.post(f"{VIDEOS}/{first['id']}/cancel")
    assert data_of(post(owner, payload), 201)["status"] == "queued"


def test_replayed_response_has_its_own_request_id(owner, payload):
    ids = [post(owner, payload).json()["meta"]["request_id"] for _ in range(2)]
    assert len(set(ids)) == 2


def test_requests_without_a_key_all_have_effect(owner, payload):
    post(owner, payload, key=None)
    post(owner, payload, key=None)
    assert (Video.objects.count(), IdempotencyRecord.objects.count()) == (2, 0)


def test_requests_with_different_keys_all_have_effect(owner, payload):
    post(owner, payload, key="a")
    post(owner, payload, key="b")
    assert Video.objects.count() == 2


def test_reused_key_with_another_body_is_refused(owner, payload):
    post(owner, payload)
    with nothing_changes():
        response = post(owner, payload | {"title": "Other"})
    assert refusal_of(response) == (422, "idempotency_key_reused")


def test_reused_key_at_another_path_is_refused(owner):
    first, second = (f"{VIDEOS}/{make_video(owner, 'draft').pk}/generate" for _ in range(2))
    assert post(owner, {}, path=first).status_code == 200
    with nothing_changes():
        response = post(owner, {}, path=second)
    assert refusal_of(response) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["a", "A-z_0.9:", "x" * 255])
def test_well_formed_idempotency_key_is_accepted(owner, payload, key):
    assert post(owner, payload, key=key).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é", "a/b", "a,b", "a\n"])
def test_malformed_idempotency_key_is_a_400_and_changes_nothing(owner, payload, key):
    with nothing_changes():
        assert wrong_fields_of(post(owner, payload, key=key)) == ["Idempotency-Key"]


def test_repeated_request_is_a_409_while_the_first_runs(owner, payload):
    abandon(owner, payload)
    with nothing_changes():
        response = post(owner, payload)
    assert refusal_of(response) == (409, "idempotency_in_progress")
    assert (response["Retry-After"], response.json()["error"]["retryable"]) == ("1", True)


def test_reused_key_with_another_body_is_refused_while_the_first_runs(owner, payload):
    abandon(owner, payload)
    with nothing_changes():
        response = post(owner, payload | {"title": "Other"})
    assert refusal_of(response) == (422, "idempotency_key_reused")


def test_an_abandoned_claim_is_taken_over_after_its_lease(owner, payload):
    abandon(owner, payload)
    IdempotencyRecord.objects.update(claimed_at=timezone.now() - LEASE - timedelta(seconds=1))
    response = post(owner, payload)
    assert (response.status_code, response.headers.get("Idempotent-Replayed")) == (201, None)
    assert post(owner, payload)["Idempotent-Replayed"] == "true"


def test_an_abandoned_claim_is_not_taken_over_by_another_body(owner, payload):
    abandon(owner, payload)
    IdempotencyRecord.objects.update(claimed_at=timezone.now() - LEASE - timedelta(seconds=1))
    with nothing_changes():
        response = post(owner, payload | {"title": "Other"})
    assert refusal_of(response) == (422, "idempotency_key_reused")


def test_abandoned_claim_is_not_taken_over_before_its_lease_ends(owner, payload):
    abandon(owner, payload)
    IdempotencyRecord.objects.update(claimed_at=timezone.now())
    assert refusal_of(post(owner, payload)) == (409, "idempotency_in_progress")


def test_response_402_is_stored(owner, payload):
    set_balance(owner, 0)
    first = post(owner, payload)
    set_balance(owner, 100)
    second = post(owner, payload)
    assert refusal_of(first) == refusal_of(second) == (402, "insufficient_credits")
    assert (second["Idempotent-Replayed"], second.json()["error"]) == ("true", first.json()["error"])


def test_response_400_is_stored(owner, payload):
    first, second = post(owner, payload | {"speed": 9}), post(owner, payload | {"speed": 9})
    assert (second["Idempotent-Replayed"], second.json()["error"]) == ("true", first.json()["error"])
    assert wrong_fields_of(second) == ["speed"]


def test_response_to_invalid_json_is_stored(owner):
    send = {"content_type": "application/json", "HTTP_IDEMPOTENCY_KEY": "key-1"}
    answers = [owner.client.generic("POST", VIDEOS, b"{", **send) for _ in range(2)]
    assert [refusal_of(answer) for answer in answers] == [(400, "parse_error")] * 2
    assert answers[1]["Idempotent-Replayed"] == "true"


def test_response_409_is_not_stored(owner):
    video = make_video(owner, "queued")
    path = f"{VIDEOS}/{video.pk}/retry"
    assert refusal_of(post(owner, {}, path=path)) == (409, "invalid_state")
    owner.client.post(f"{VIDEOS}/{video.pk}/cancel")
    assert post(owner, {}, path=path).status_code == 201


def test_response_503_is_not_stored(owner, payload):
    rates = list(RenderRate.objects.all())
    RenderRate.objects.all().delete()
    assert refusal_of(post(owner, payload)) == (503, "provider_unavailable")
    RenderRate.objects.bulk_create(rates)
    assert post(owner, payload).status_code == 201


FAILURES = [
    (ZeroDivisionError(), (500, "server_error")),
    (DomainError(), (500, "server_error")),
    (OperationalError(), (503, "provider_unavailable")),
    (ProviderUnavailable(), (503, "provider_unavailable")),
    (RateLimited(), (429, "rate_limited")),
    (NotAuthenticated(), (401, "not_authenticated")),
]
REFUSALS = [
    (ValidationFailed(), (400, "validation_error")),
    (InsufficientCredits(), (402, "insufficient_credits")),
    (PermissionDenied(), (403, "permission_denied")),
]


@contextmanager
def during(words: str, happens: Callable[[], Any], *, after: bool) -> Iterator[None]:
    """Run a callback once, before or after this connection executes a statement that contains `words`."""
    rest = [happens]

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        is_it = words in sql
        if is_it and rest and not after:
            rest.pop()()
        result = execute(sql, params, many, context)
        if is_it and rest and after:
            rest.pop()()
        return result

    with connection.execute_wrapper(run):
        yield
    assert rest == []


def once_all_is_written(happens: Callable[[], Any]) -> AbstractContextManager[None]:
    """Inside the transaction, after the video, its hold and its history were written."""
    return during('INSERT INTO "videos_video"', happens, after=True)


def before_the_wallet_is_locked(happens: Callable[[], Any]) -> AbstractContextManager[None]:
    """Inside the transaction, while other requests of the account may still be served."""
    return during('UPDATE "billing_wallet"', happens, after=False)


def raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(("error", "answer"), FAILURES, ids=lambda each: repr(each)[:20])
def test_retryable_error_rolls_back_and_frees_the_key(owner, payload, error, answer):
    with nothing_changes(), once_all_is_written(raising(error)):
        assert refusal_of(post(owner, payload)) == answer
    again = post(owner, payload)
    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (201, None)
    assert Video.objects.count() == 1


@pytest.mark.parametrize(("error", "answer"), REFUSALS, ids=lambda each: repr(each)[:20])
def test_final_error_rolls_back_and_is_stored(owner, payload, error, answer):
    with nothing_changes(but=IdempotencyRecord):
        with once_all_is_written(raising(error)):
            assert refusal_of(post(owner, payload)) == answer
        again = post(owner, payload)
    assert (refusal_of(again), again["Idempotent-Replayed"]) == (answer, "true")


def test_key_is_free_after_a_429_of_the_request(owner):
    invitation = make_invitation(owner)
    path = f"/api/v1/team/invitations/{invitation.pk}/resend"
    with nothing_changes():
        assert refusal_of(post(owner, {}, path=path)) == (429, "rate_limited")
    Invitation.objects.update(sent_at=timezone.now() - invitations.RESEND_INTERVAL - timedelta(seconds=1))
    answer = post(owner, {}, path=path)
    assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (202, None)
    assert post(owner, {}, path=path)["Idempotent-Replayed"] == "true"


def test_key_is_free_after_a_401_under_the_account_lock(owner):
    """A member who is removed between the permission check and the lock, and added again."""
    admin, path = make_teammate(owner, Role.ADMIN), "/api/v1/team/invitations"
    body = {"email": "new@example.com", "role": "viewer"}
    assert admin.client.get("/api/v1/team/members").status_code == 200  # their role is remembered for a while
    Membership.objects.filter(user=admin.user).delete()
    with nothing_changes():
        assert refusal_of(post(admin, body, path=path)) == (401, "not_authenticated")
    Membership.objects.create(user=admin.user, account=owner.account, role=Role.ADMIN)
    assert post(admin, body, path=path).status_code == 201


LATE = [
    (lambda: None, (409, "idempotency_in_progress")),
    (raising(ValidationFailed()), (409, "idempotency_in_progress")),
    (raising(ProviderUnavailable()), (503, "provider_unavailable")),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("ending", "answer"), LATE, ids=["done", "refused", "failed"])
def test_request_whose_claim_was_taken_over_rolls_back(ending, answer):
    owner, payload = make_caller(), {"script": "Hello.", "avatar_id": str(make_avatar().pk)}
    second: list[Any] = []

    def outlive_the_lease() -> None:
        IdempotencyRecord.objects.update(claimed_at=timezone.now() - LEASE - timedelta(seconds=1))
        second.append(post(owner, payload))

    def stall() -> None:
        assert in_parallel([outlive_the_lease]) == [None]
        ending()

    with before_the_wallet_is_locked(stall):
        assert refusal_of(post(owner, payload)) == answer
    made = data_of(second[0], 201)
    assert [str(pk) for pk in Video.objects.values_list("pk", flat=True)] == [made["id"]]
    assert data_of(post(owner, payload), 201) == made
    assert the_ledger_proves()


@pytest.mark.django_db(transaction=True)
def test_request_that_is_overtaken_while_it_holds_the_wallet_rolls_back():
    """The second request takes the claim over and waits for the wallet until the first has been undone."""
    owner, payload = make_caller(), {"script": "Hello.", "avatar_id": str(make_avatar().pk)}
    expired = timezone.now() - LEASE - timedelta(seconds=1)
    second: list[Any] = []

    def be_overtaken() -> None:
        in_parallel([lambda: IdempotencyRecord.objects.update(claimed_at=expired)])
        waiting.start()
        while IdempotencyRecord.objects.filter(claimed_at=expired).exists():
            time.sleep(0.01)

    waiting = Thread(target=lambda: second.extend(in_parallel([lambda: post(owner, payload)])))
    with once_all_is_written(be_overtaken):
        assert refusal_of(post(owner, payload)) == (409, "idempotency_in_progress")
    waiting.join()
    assert [str(pk) for pk in Video.objects.values_list("pk", flat=True)] == [data_of(second[0], 201)["id"]]
    assert the_ledger_proves()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("ending", "answer"), LATE, ids=["done", "refused", "failed"])
def test_claim_taken_over_by_another_request_is_not_deleted(ending, answer):
    owner, payload = make_caller(), {"script": "Hello.", "avatar_id": str(make_avatar().pk)}
    taken_over_at = timezone.now() + timedelta(seconds=1)

    def stall() -> None:
        assert in_parallel([lambda: IdempotencyRecord.objects.update(claimed_at=taken_over_at)]) == [1]
        ending()

    with before_the_wallet_is_locked(stall):
        assert refusal_of(post(owner, payload)) == answer
    record = IdempotencyRecord.objects.get()
    assert (record.claimed_at, record.status, Video.objects.count()) == (taken_over_at, None, 0)


def test_concurrent_request_is_a_409_when_the_claim_is_released_meanwhile(owner, payload):
    abandon(owner, payload)

    def give_up(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT") and IdempotencyRecord._meta.db_table in sql:
            IdempotencyRecord.objects.all().delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(give_up):
        response = post(owner, payload)
    assert (refusal_of(response), response["Retry-After"]) == ((409, "idempotency_in_progress"), "1")
    assert post(owner, payload).status_code == 201


def test_idempotency_keys_are_separate_per_account(owner, outsider, payload):
    mine, theirs = data_of(post(owner, payload), 201), data_of(post(outsider, payload), 201)
    assert mine["id"] != theirs["id"]


def test_idempotency_keys_are_shared_by_members_of_an_account(owner, teammate, payload):
    assert data_of(post(owner, payload), 201) == data_of(post(teammate, payload), 201)


def test_viewer_cannot_replay_a_teammates_request(owner, viewer, payload):
    post(owner, payload)
    assert refusal_of(post(viewer, payload)) == (403, "permission_denied")


def test_idempotency_key_is_free_after_a_day(owner, payload):
    with still_clocks(timezone.now() - timedelta(hours=24, seconds=5)):
        post(sign_in(owner.user.email), payload)
    assert post(owner, payload | {"title": "Other"}).status_code == 201
    assert Video.objects.count() == 2


def test_idempotency_key_is_not_free_within_a_day(owner, payload):
    with still_clocks(timezone.now() - timedelta(hours=23, minutes=55)):
        post(sign_in(owner.user.email), payload)
    assert refusal_of(post(owner, payload | {"title": "Other"})) == (422, "idempotency_key_reused")


def test_purge_deletes_only_old_idempotency_keys(owner, payload):
    post(owner, payload, key="old")
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    post(owner, payload, key="young")
    run_job(jobs.PURGE)
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["young"]


@pytest.mark.django_db(transaction=True)
def test_of_parallel_requests_with_one_key_one_creates_the_video():
    owner, payload = make_caller(), {"script": "Hello.", "avatar_id": str(make_avatar().pk)}
    answers = in_parallel([lambda: post(owner, payload)] * 8)
    statuses = {answer.status_code for answer in answers}
    assert (Video.objects.count(), statuses <= {201, 409}) == (1, True)
    assert {data_of(answer, 201)["id"] for answer in answers if answer.status_code == 201} == {
        str(Video.objects.get().pk)
    }
    assert the_ledger_proves()


@pytest.mark.django_db(transaction=True)
def test_of_parallel_takeovers_of_a_claim_one_creates_the_video():
    owner, payload = make_caller(), {"script": "Hello.", "avatar_id": str(make_avatar().pk)}
    IdempotencyRecord.objects.all().delete()
    post(owner, payload | {"draft": True})
    Video.objects.all().delete()
    IdempotencyRecord.objects.update(status=None, claimed_at=timezone.now() - LEASE * 2)
    answers = in_parallel([lambda: post(owner, payload | {"draft": True})] * 6)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert Video.objects.count() == 1

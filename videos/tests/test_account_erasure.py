"""Erasure of an account: it leaves no personal row, no file and no render, and survives any crash."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from accounts.enums import ErasureStatus, Role
from accounts.models import Account, AuditEntry, Erasure, Invitation, User
from accounts.privacy import anonymisation
from accounts.tests.privacy import (
    ask_for_export,
    ask_to_be_erased,
    extra_erasure_receiver,
    let_grace_pass,
    stored,
    take_step,
    work,
)
from billing import credits
from billing.models import CreditAdjustment, Hold, LedgerEntry
from genvid.tests.asserts import data_of, the_ledger_proves
from genvid.tests.factories import PASSWORD, make_caller, make_endpoint, make_key, make_video, set_balance
from videos import settlement
from videos.enums import Status
from videos.lifecycle import account_erasure, deletion, video_actions
from videos.models import Batch, Video, WebhookDelivery
from videos.pipeline import submission, sweeper
from videos.tests.doubles import CallbackAfterDelete
from videos.tests.pipeline import Pipeline, fresh, use_storage, wait_until
from videos.video_request import VideoRequest

pytestmark = pytest.mark.django_db
EMAIL = "wilhelmina@example.com"
NAME = "Wilhelmina Ungewitter"
SCRIPT = "My grandmother's blue bicycle is in the garden."
ADDRESS = "198.51.100.77"
URL = "https://ungewitter.example.org/hook"
WORDS = [EMAIL, "Wilhelmina", "Ungewitter", "bicycle", ADDRESS, "ungewitter.example", "Fahrrad", "Curl of Mina"]


@pytest.fixture(autouse=True)
def storage(settings, tmp_path) -> Path:
    """An empty storage for each test."""
    options = settings.STORAGES["default"]["OPTIONS"] | {"location": str(tmp_path)}
    settings.STORAGES = settings.STORAGES | {"default": settings.STORAGES["default"] | {"OPTIONS": options}}
    return tmp_path


@pytest.fixture
def mina(db):
    person = make_caller(email=EMAIL, full_name=NAME, company_name="Ungewitter KG")
    person.client.defaults |= {"REMOTE_ADDR": ADDRESS, "HTTP_USER_AGENT": "Curl of Mina"}
    set_balance(person, 500)
    return person


def tables_with_words(*words: str) -> list[str]:
    """Every table of the database that has a row with one of these words."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        text = str(list(model._base_manager.values())).casefold()
        found += [f"{model._meta.label}: {word}" for word in words if word.casefold() in text]
    return found


def erase(person) -> Erasure:
    """Request the erasure, let its grace pass, and run its steps until it is done."""
    erasure = ask_to_be_erased(person)
    let_grace_pass(erasure)

    def done() -> bool:
        purge_all()
        return take_step(erasure).status == ErasureStatus.DONE

    wait_until(done, why=lambda: erasure.waiting_reason)
    return erasure


def purge_all() -> None:
    for pk in Video.objects.unpurged().exclude(deleted_at=None).values_list("pk", flat=True):
        deletion.purge_video(str(pk))


def make_traces(person, pipeline: Pipeline) -> list[Video]:
    """Make rows in every app: finished and failed videos, a draft, a batch, keys, webhooks, adjustments."""
    make_endpoint(person, url=URL)
    program = make_key(person)
    person.client.post("/api/v1/api-keys", {"name": f"Key of {NAME}", "scopes": ["videos:read"]})
    payload = {"script": SCRIPT, "avatar_id": str(pipeline.avatar.pk), "title": f"For {NAME}", "resolution": "720p"}
    for client in (person.client, program.client):
        client.post("/api/v1/videos", {**payload, "metadata": {"who": NAME}}, HTTP_IDEMPOTENCY_KEY=f"for-{EMAIL}")
    program.client.post("/api/v1/videos", payload)
    rows = [{"what": "Fahrrad"}, {"what": "bicycle"}]
    batch = {**payload, "script": "Look, a {{what}}!", "rows": rows}
    data_of(person.client.post("/api/v1/batches", batch), 201)
    data_of(person.client.post("/api/v1/videos", {**payload, "draft": True}), 201)
    credits.adjust(person.account.pk, 5, reference="gift:1", description=f"Sorry, {NAME}.")
    CreditAdjustment.objects.create(pk=uuid.uuid4(), account=person.account, credits=5, reason=f"Sorry, {NAME}.")
    soon = timezone.now() + timedelta(days=1)
    Invitation.objects.create(account=person.account, email="friend@example.com", role=Role.MEMBER, expires_at=soon)
    videos = list(Video.objects.exclude(status=Status.DRAFT))
    for video in videos:
        pipeline.run(video)
    return videos


def log_change(staff: User, row: object, text: str) -> None:
    content_type = ContentType.objects.get_for_model(row)
    LogEntry.objects.create(
        user=staff,
        content_type=content_type,
        object_id=str(row.pk),
        object_repr=str(row),
        action_flag=CHANGE,
        change_message=text,
    )


# ── Whole erasures


def test_an_erasure_leaves_no_row_no_file_and_no_render(mina, pipeline, outsider, mailoutbox):
    videos = make_traces(mina, pipeline)
    staff = User.objects.create_superuser("staff@example.com", PASSWORD)
    for row in (mina.user, mina.account, videos[0]):
        log_change(staff, row, f"Helped {NAME}")
    soon = timezone.now() + timedelta(days=1)
    Invitation.objects.create(account=outsider.account, email=EMAIL, role=Role.MEMBER, expires_at=soon)
    work(ask_for_export(mina))
    assert {word.partition(": ")[2] for word in tables_with_words(*WORDS)} == set(WORDS), "or the search proves nothing"
    assert stored() != []

    erase(mina)
    assert tables_with_words(*WORDS) == []
    assert stored() == []
    assert [row["deleted"] for row in pipeline.sandbox.records()["videos"]] == [1] * len(videos)
    assert the_ledger_proves()


def test_the_ledger_of_an_erased_account_stays_without_a_name(mina, pipeline):
    pipeline.run(pipeline.order(mina, SCRIPT))
    before = list(LedgerEntry.objects.order_by("sequence").values("credits", "kind", "reference", "balance_after"))
    erase(mina)
    assert list(LedgerEntry.objects.order_by("sequence").values(*before[0])) == before
    assert (Hold.objects.count(), Account.objects.get(pk=mina.account.pk).name) == (1, "Erased")


def test_an_erased_user_cannot_sign_in_and_owns_nothing(mina):
    erase(mina)
    left = User.objects.get(pk=mina.user.pk)
    assert (left.email.endswith("@invalid"), left.is_active, left.has_usable_password()) == (True, False, False)
    assert (left.full_name, left.company_name, left.last_login, left.email_verified_at) == ("", "", None, None)
    assert (left.memberships.count(), left.sessions.count()) == (0, 0)


def test_the_address_of_an_erased_user_can_register_again(mina):
    erase(mina)
    assert make_caller(email=EMAIL).user.pk != mina.user.pk


def test_the_record_of_a_finished_erasure_stays(mina):
    erasure = erase(mina)
    acts = AuditEntry.objects.filter(account=mina.account).order_by("created_at").values_list("act", flat=True)
    assert (acts.last(), list(acts).count("profile.erased")) == ("profile.erased", 1)
    entry = AuditEntry.objects.get(act="profile.erased")
    assert entry.detail == {"erasure": str(erasure.pk), "person": str(mina.user.pk)}
    assert (erasure.erased_at is not None, erasure.due_at) == (True, None)


def test_an_erasure_leaves_other_accounts_unchanged(mina, outsider, pipeline):
    video = pipeline.run(pipeline.order(outsider, "Mine stays."))
    files, rows = stored(), list(Video.objects.filter(pk=video.pk).values())
    erase(mina)
    assert (stored(), list(Video.objects.filter(pk=video.pk).values())) == (files, rows)
    assert pipeline.remote_render(video)["deleted"] == 0


def test_videos_that_an_erased_user_made_in_another_account_stay(mina, owner, pipeline):
    owner.account.memberships.create(user=mina.user, role=Role.MEMBER)
    video = make_video(owner, "completed", created_by=mina.user, title="Ours")
    erase(mina)
    assert (fresh(video).title, fresh(video).deleted_at) == ("Ours", None)


def test_erasing_the_videos_of_an_empty_account_is_done_at_once(mina):
    assert account_erasure.erase_videos_of(mina.account.pk) == ""


def test_every_table_that_refers_to_a_user_or_an_account_is_erased_or_listed_as_kept():
    """A new table is added to an app's erasure, or to the list of those that stay."""
    stays = {
        *("accounts.AuditEntry", "accounts.Erasure", "accounts.ApiKey"),
        *("billing.Wallet", "videos.Video", "videos.Batch", "accounts.StaffAct"),
        # A keyed hash of the address, so that sign-up credits are given once.
        "billing.CreditAdjustment",
        "billing.SignupGrant",
        # Their rows go with the files, but for empty ones that videos refer to: `avatars.uploads.privacy`.
        "avatars.Upload",
        # Rows of speeches go with their files; those of videos that were rendered with one stay, without words.
        "videos.Speech",
        # The id of the account whose order last closed the gate.
        "videos.ProviderState",
        # Owned by the operator: `avatars.receivers` revokes the release to the account. Own ones are emptied.
        *("avatars.Avatar", "avatars.Voice", "avatars.Creation"),
        # Their personal fields are erased by `billing.checkout.account_erasure` and `inbox.forget_customer`.
        *(
            "billing.Checkout",
            "billing.Customer",
            "billing.FormerCustomer",
            "billing.Invoice",
            "billing.Letter",
            "billing.Payment",
        ),
        *("billing.Subscription", "billing.TopUp", "billing.TopUpRule", "djstripe.Customer"),
        *("admin.LogEntry", "accounts.User_groups", "accounts.User_user_permissions"),
    }
    goes = {model._meta.label for model in (*anonymisation.PERSON_MODELS, *anonymisation.ACCOUNT_MODELS)}
    assert {
        model._meta.label for model in apps.get_models(include_auto_created=True) if _refers_to_owner(model)
    } == stays | goes


def _refers_to_owner(model) -> bool:
    return any(field.related_model in (User, Account) for field in model._meta.concrete_fields if field.is_relation)


# ── Videos in the pipeline


def test_an_erasure_cancels_a_waiting_video_and_frees_its_credits(mina, pipeline):
    video = pipeline.order(mina, SCRIPT)
    erase(mina)
    assert (fresh(video).status, fresh(video).script, mina.wallet.held) == (Status.CANCELED, "", 0)
    assert mina.wallet.balance == 500


def test_an_erasure_lets_an_ordered_video_finish_charges_it_and_deletes_it(mina, pipeline):
    video = pipeline.submit(pipeline.order(mina, SCRIPT))
    erasure = ask_to_be_erased(mina)
    let_grace_pass(erasure)
    take_step(erasure)
    assert (erasure.status, erasure.waiting_reason) == (
        ErasureStatus.ERASING,
        "1 videos are being made, 0 are not deleted everywhere",
    )
    pipeline.run(video)
    take_step(erasure)
    purge_all()
    assert take_step(erasure).status == ErasureStatus.DONE
    assert (pipeline.remote_render(video)["deleted"], fresh(video).credits_charged > 0) == (1, True)
    assert the_ledger_proves()


def test_an_erasure_is_not_done_while_heygen_has_a_render(mina, pipeline):
    video = pipeline.run(pipeline.order(mina, SCRIPT))
    erasure = ask_to_be_erased(mina)
    let_grace_pass(erasure)
    take_step(erasure)
    pipeline.sandbox.fault(kind="status", status=503, method="DELETE", path="/v3/videos/*")
    purge_all()
    assert take_step(erasure).status == ErasureStatus.ERASING
    purge_all()
    assert (take_step(erasure).status, pipeline.remote_render(video)["deleted"]) == (ErasureStatus.DONE, 1)


def test_an_erasure_deletes_the_renders_of_every_attempt(mina, pipeline):
    video = pipeline.submit(pipeline.order(mina, SCRIPT))
    assert settlement.requeue_video(video, reason="test", why="as if HeyGen had lost it")
    again = pipeline.run(fresh(video))
    assert len(pipeline.remote_renders(again)) == 2
    erase(mina)
    assert [row["deleted"] for row in pipeline.remote_renders(again)] == [1, 1]


def test_an_erasure_deletes_a_render_that_became_known_after_the_purge_of_its_video(mina, pipeline):
    video = pipeline.run(pipeline.order(mina, SCRIPT))
    deletion.delete_video(video)
    Video.objects.filter(pk=video.pk).update(purged_at=timezone.now(), provider_deleted_at=None, script="")
    erase(mina)
    assert pipeline.remote_render(video)["deleted"] == 1


def test_the_sweep_deletes_a_render_that_becomes_known_after_the_purge(mina, pipeline, woken):
    video = make_video(mina, Status.SUBMITTING)
    assert settlement.cancel_video(fresh(video), reason="canceled_by_staff")
    deletion.delete_video(video)
    deletion.purge_video(str(video.pk))
    assert not submission.record_acceptance(video, "remote_of_a_late_answer", reason="submitted")
    Video.objects.update(deleted_at=timezone.now() - sweeper.PURGE_AFTER)
    sweeper.enqueue_purges()
    assert ("videos.purge", str(video.pk)) in woken


def test_an_erasure_waits_for_a_canceled_order_that_may_still_make_a_render(mina, pipeline):
    video = make_video(mina, Status.SUBMITTING)
    assert settlement.cancel_video(video, reason="canceled_by_staff")
    assert account_erasure.erase_videos_of(mina.account.pk) == "0 videos are being made, 1 are not deleted everywhere"
    assert fresh(video).deleted_at is None
    Video.objects.filter(pk=video.pk).update(moved_at=timezone.now() - account_erasure.ORDER_SETTLE_TIME)
    account_erasure.erase_videos_of(mina.account.pk)
    purge_all()
    assert account_erasure.erase_videos_of(mina.account.pk) == ""


def test_an_erasure_cancels_a_waiting_batch_whole(mina, pipeline):
    rows = [{"what": "bicycle"}] * 3
    payload = {"script": "A {{what}}.", "avatar_id": str(pipeline.avatar.pk), "rows": rows, "title": NAME}
    data_of(mina.client.post("/api/v1/batches", payload), 201)
    erase(mina)
    batch = Batch.objects.get()
    assert (batch.open, batch.script, batch.title, batch.template, batch.columns) == (0, "", "", {}, [])
    assert set(Video.objects.values_list("status", "script")) == {("canceled", "")}


def test_an_erasure_deletes_the_webhook_deliveries_of_its_videos(mina, outsider, pipeline):
    mine, theirs = (pipeline.run(pipeline.order(person, "Hi.")) for person in (mina, outsider))
    for video in (mine, theirs):
        facts = {"event_type": "avatar_video.success", "provider_video_id": video.provider_video_id, "payload": {}}
        WebhookDelivery.objects.get_or_create(key=f"of {video.pk}", defaults=facts)
    erase(mina)
    kept = set(WebhookDelivery.objects.values_list("provider_video_id", flat=True))
    assert kept == {theirs.provider_video_id}


# ── Crashes


class Killed(BaseException):
    """Passes every `except Exception`, as kill -9 would."""


def die() -> None:
    raise Killed


def test_an_erasure_killed_while_it_deletes_a_file_is_completed(mina, pipeline, settings):
    pipeline.run(pipeline.order(mina, SCRIPT))
    erasure = ask_to_be_erased(mina)
    let_grace_pass(erasure)
    take_step(erasure)
    use_storage(settings, "CallbackAfterDelete")
    CallbackAfterDelete.callback = die
    with pytest.raises(Killed):
        purge_all()
    assert take_step(erasure).status == ErasureStatus.ERASING
    purge_all()
    assert (take_step(erasure).status, stored()) == (ErasureStatus.DONE, [])


def test_an_erasure_killed_while_it_deletes_an_export_is_completed(mina, settings):
    work(ask_for_export(mina))
    erasure = ask_to_be_erased(mina)
    let_grace_pass(erasure)
    use_storage(settings, "CallbackAfterDelete")
    CallbackAfterDelete.callback = die
    with pytest.raises(Killed):
        take_step(erasure)
    assert (take_step(erasure).status, stored()) == (ErasureStatus.DONE, [])


def dying_at(statement: str) -> Callable[..., Any]:
    """The worker dies when it is about to send the first statement that begins so."""

    def execute(run: Callable[..., Any], sql: str, *given: Any) -> Any:
        if sql.startswith(statement):
            die()
        return run(sql, *given)

    return execute


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE "accounts_account" SET "name"',
        'SELECT "accounts_export"',
        'UPDATE "accounts_user" SET "password"',
        'INSERT INTO "accounts_auditentry"',
    ],
    ids=["account", "files", "person", "log"],
)
def test_an_erasure_killed_at_any_statement_is_completed(mina, statement):
    erasure = ask_to_be_erased(mina)
    let_grace_pass(erasure)
    with connection.execute_wrapper(dying_at(statement)), pytest.raises(Killed):
        take_step(erasure)
    erasure.refresh_from_db()
    assert (erasure.status, User.objects.get(pk=mina.user.pk).is_active) == (ErasureStatus.ERASING, False)
    assert take_step(erasure).status == ErasureStatus.DONE
    assert (tables_with_words(*WORDS), AuditEntry.objects.filter(act="profile.erased").count()) == ([], 1)


def test_an_erasure_step_of_an_app_that_fails_is_retried(mina):
    erasure = ask_to_be_erased(mina)
    let_grace_pass(erasure)
    with extra_erasure_receiver(ZeroDivisionError()):
        take_step(erasure)
    assert (erasure.status, "ZeroDivisionError" in erasure.waiting_reason) == (ErasureStatus.ERASING, True)
    assert take_step(erasure).status == ErasureStatus.DONE


def test_an_erasure_without_grace_is_done_at_the_next_step(mina, settings):
    settings.ACCOUNT_ERASURE_DAYS = 0
    assert take_step(ask_to_be_erased(mina)).status == ErasureStatus.DONE


def test_an_erasure_deletes_a_thousand_videos_in_batches(mina, pipeline, monkeypatch):
    monkeypatch.setattr(account_erasure, "BATCH_SIZE", 2)
    for _ in range(5):
        video_actions.create_video(mina.caller, VideoRequest(script=SCRIPT, avatar_id=pipeline.avatar.pk), draft=True)
    left = [account_erasure.erase_videos_of(mina.account.pk), Video.objects.filter(deleted_at=None).count()]
    assert left == ["0 videos are being made, 5 are not deleted everywhere", 3]
    erase(mina)
    assert Video.objects.filter(script="").count() == 5


def test_an_erasure_leaves_a_batch_of_another_account(mina, outsider, pipeline):
    set_balance(outsider, 500)
    payload = {"script": "A {{what}}.", "avatar_id": str(pipeline.avatar.pk), "rows": [{"what": "tree"}]}
    data_of(outsider.client.post("/api/v1/batches", payload), 201)
    before = list(Batch.objects.values())
    erase(mina)
    assert list(Batch.objects.values()) == before

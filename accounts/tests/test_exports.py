"""Data exports: request, content, mail, link, expiry, retries."""

import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts import jobs
from accounts.enums import ExportStatus, Role
from accounts.models import Export
from accounts.privacy import exports
from accounts.tests.privacy import EXPORT, ask_for_export, exported, fetch, read, work
from accounts.webhooks.outgoing_events import publish
from genvid.configuration import DeclaredEnv
from genvid.mail.models import QueuedMail
from genvid.storages import bucket
from genvid.tests.asserts import data_of, lies_ahead, nothing_changes, refusal_of
from genvid.tests.factories import make_caller, make_endpoint, make_key, make_teammate, make_video
from genvid.tests.jobs import run_job
from genvid.tests.mail import send_due_mail
from genvid.tests.parallel import in_parallel
from videos.tests.doubles import BrokenBucket

pytestmark = pytest.mark.django_db
EXPORTS = "exports"


@pytest.fixture(autouse=True)
def storage(settings, tmp_path) -> Path:
    """An empty storage for each test."""
    options = settings.STORAGES["default"]["OPTIONS"] | {"location": str(tmp_path)}
    settings.STORAGES = settings.STORAGES | {"default": settings.STORAGES["default"] | {"OPTIONS": options}}
    return tmp_path


def break_storage(settings) -> dict:
    kept = settings.STORAGES
    backend = f"{BrokenBucket.__module__}.FullBucket"
    settings.STORAGES = kept | {"default": kept["default"] | {"BACKEND": backend}}
    return kept


def test_export_request_is_accepted_and_audited(owner):
    asked = ask_for_export(owner)
    assert asked == {
        "id": str(Export.objects.get().pk),
        "status": "pending",
        "created_at": asked["created_at"],
        "expires_at": None,
        "download_url": None,
    }
    acts = [entry["act"] for entry in data_of(owner.client.get("/api/v1/audit-log"))]
    assert acts.count("profile.export_requested") == 1


def test_second_export_request_returns_the_pending_export(owner):
    assert ask_for_export(owner) == ask_for_export(owner)
    assert Export.objects.count() == 1


def test_repeated_idempotency_key_starts_one_export(owner):
    first = ask_for_export(owner, HTTP_IDEMPOTENCY_KEY="once")
    work(first)
    assert ask_for_export(owner, HTTP_IDEMPOTENCY_KEY="once") == first


@pytest.mark.django_db(transaction=True)
def test_parallel_export_requests_start_one_export(owner):
    answers = in_parallel([lambda: ask_for_export(owner)["id"]] * 4)
    assert len(set(answers)) == Export.objects.count() == 1


def test_export_is_limited_to_three_a_day(owner):
    for _ in range(exports.MAX_PER_DAY):
        work(ask_for_export(owner))
    with nothing_changes():
        refused = owner.client.post(EXPORT)
    assert refusal_of(refused) == (429, "rate_limited")
    assert 86000 < int(refused["Retry-After"]) <= 86400


def test_export_limit_ends_after_a_day(owner):
    for _ in range(exports.MAX_PER_DAY):
        work(ask_for_export(owner))
    Export.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert ask_for_export(owner)["status"] == "pending"


def test_export_is_mailed_once_as_a_link(owner, mailoutbox):
    export = ask_for_export(owner)
    for _ in range(3):
        work(export)
    send_due_mail()
    (mail,) = [mail for mail in mailoutbox if mail.subject == "Your data"]
    assert mail.to == [owner.user.email]
    assert data_of(owner.client.get(EXPORT))["download_url"] in mail.body


def test_export_is_not_mailed_to_an_unverified_address(owner, settings):
    settings.REQUIRE_VERIFIED_EMAIL = True
    export = ask_for_export(owner)
    for _ in range(2):
        work(export)
    mails = QueuedMail.objects.filter(kind="accounts.export_ready").count()
    assert (mails, data_of(owner.client.get(EXPORT))["status"]) == (0, "ready")
    assert data_of(owner.client.get(EXPORT))["download_url"] is not None


def test_export_link_works_without_authentication(owner):
    export = work(ask_for_export(owner))
    answer = fetch(exports.download_link(export))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == 'attachment; filename="genvid-export.zip"'
    assert answer["Cache-Control"] == "private, no-store"
    assert read(answer)["profile"][0]["email"] == owner.user.email


def test_bucket_storage_serves_the_export_as_a_named_zip(owner, settings, monkeypatch):
    export = work(ask_for_export(owner))
    secrets = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    for name, value in (secrets | {"S3_ENDPOINT_URL": "https://bucket.example"}).items():
        monkeypatch.setenv(name, value)
    settings.S3_BUCKET = "films"
    settings.STORAGES = settings.STORAGES | {"default": bucket(DeclaredEnv(), "films", link_seconds=900)}
    answer = fetch(exports.download_link(export))
    link = urlsplit(answer["Location"])
    words = parse_qs(link.query)
    assert (answer.status_code, link.path) == (302, f"/films/{export.file}")
    assert words["response-content-disposition"] == ['attachment; filename="genvid-export.zip"']
    assert words["response-content-type"] == ["application/zip"]


@pytest.mark.parametrize("token", ["nonsense", "a:b:c"])
def test_forged_export_link_is_not_found(db, token):
    assert refusal_of(fetch(f"/api/v1/exports/{token}")) == (404, "not_found")


def test_token_of_another_kind_is_no_export_link(owner):
    export = work(ask_for_export(owner))
    token = signing.Signer(salt="videos.media").sign_object(str(export.pk))
    assert refusal_of(fetch(f"/api/v1/exports/{token}")) == (404, "not_found")


def test_export_link_file_and_row_are_gone_after_a_week(owner, storage):
    export = work(ask_for_export(owner))
    Export.objects.update(expires_at=timezone.now(), due_at=timezone.now())
    exports.run_export_step(str(export.pk))
    assert (Export.objects.count(), list((storage / EXPORTS).iterdir())) == (0, [])
    assert refusal_of(fetch(exports.download_link(export))) == (404, "not_found")


def test_expired_export_link_is_not_found_before_its_file_is_deleted(owner):
    export = work(ask_for_export(owner))
    Export.objects.update(expires_at=timezone.now())
    assert refusal_of(fetch(exports.download_link(export))) == (404, "not_found")


def test_export_expires_after_a_week_and_is_due_then(owner):
    export = ask_for_export(owner)
    work(export)
    kept = work(export)
    assert (kept.expires_at - kept.ready_at, kept.due_at) == (timedelta(days=7), kept.expires_at)


def test_export_contains_all_data_of_the_person(owner):
    make_key(owner)
    endpoint = make_endpoint(owner)
    publish(owner.account.pk, "video.queued", {"script": "Hi"}, object_id="1")
    video = make_video(owner, "completed", title="Mine")
    files = exported(owner)
    assert {name: len(rows) for name, rows in files.items() if name not in ("audit_log", "video_events")} == {
        "profile": 1,
        "mails": 2,
        "memberships": 1,
        "invitations": 0,
        "sessions": 1,
        "known_networks": len(files["known_networks"]),
        "authenticators": 0,
        "exports": 1,
        "erasures": 0,
        "invitations_sent": 0,
        "api_keys": 1,
        "webhook_endpoints": 1,
        "webhook_events": len(files["webhook_events"]),
        "webhook_deliveries": len(files["webhook_events"]),
        "webhook_attempts": 0,
        "text_checks": 0,
        "reviewed_texts": 0,
        **dict.fromkeys(("payments", "refunds", "invoices", "subscriptions", "auto_top_up", "top_ups"), 0),
        "wallets": 1,
        "credit_lots": 1,
        "holds": 1,
        "ledger": 2,
        "signup_grants": 1,
        "speeches": 0,
        "uploads": 0,
        "videos": 1,
        "batches": 0,
        **dict.fromkeys(("own_avatars", "own_voices", "own_avatar_events", "consents"), 0),
    }
    assert (files["videos"][0]["id"], files["webhook_endpoints"][0]["id"]) == (str(video.pk), str(endpoint.pk))
    assert {entry["act"] for entry in files["audit_log"]} >= {"api_key.created", "profile.export_requested"}


def test_export_contains_no_secrets(owner):
    key, endpoint = make_key(owner), make_endpoint(owner)
    text = str(exported(owner))
    secrets = [key.text, key.key.digest, endpoint.secret, owner.user.password, owner.tokens.refresh_token]
    assert [secret for secret in secrets if secret in text] == []


def test_export_contains_no_data_of_others(owner, outsider):
    make_video(outsider, "completed", title="Not yours")
    assert exported(owner)["videos"] == []


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_export_of_a_member_contains_no_account_data(owner, role):
    make_video(owner, "completed")
    mate = make_teammate(owner, role)
    files = exported(mate)
    assert (files["videos"], files["ledger"], files["audit_log"]) == ([], [], [])
    assert [each["role"] for each in files["memberships"]] == [role]


def test_export_of_another_person_is_hidden(owner, teammate):
    ask_for_export(owner)
    assert refusal_of(teammate.client.get(EXPORT)) == (404, "not_found")


def test_api_key_cannot_request_an_export(owner):
    assert refusal_of(make_key(owner).client.post(EXPORT)) == (403, "permission_denied")


# ── Failures


def test_sweep_enqueues_an_export_whose_message_was_lost(owner, woken):
    export = ask_for_export(owner)
    run_job(jobs.SWEEP_PRIVACY)
    assert ("accounts.work_on_export", export["id"]) in woken


def test_sweep_does_not_enqueue_a_leased_export(owner, woken):
    export = ask_for_export(owner)
    assert Export.objects.get().claim(exports.LEASE)
    exports.run_export_step(export["id"])
    run_job(jobs.SWEEP_PRIVACY)
    assert (Export.objects.get().status, woken) == ("pending", [])


@pytest.mark.django_db(transaction=True)
def test_parallel_workers_make_and_mail_an_export_once(owner):
    export = ask_for_export(owner)
    for _ in range(2):
        assert in_parallel([lambda: exports.run_export_step(export["id"])] * 4) == [None] * 4
    mails = QueuedMail.objects.filter(kind="accounts.export_ready").count()
    assert (Export.objects.get().status, mails) == ("ready", 1)


def test_export_is_retried_later_when_the_storage_fails(owner, settings):
    kept, export, before = break_storage(settings), ask_for_export(owner), timezone.now()
    failed = work(export)
    assert (failed.status, failed.tries, "503" in failed.waiting_reason) == ("pending", 1, True)
    assert lies_ahead(failed.due_at, 30, since=before)
    settings.STORAGES = kept
    assert work(export).status == "ready"


def test_export_fails_after_a_day_and_can_be_requested_again(owner, settings):
    break_storage(settings)
    export = ask_for_export(owner)
    Export.objects.update(tries=exports.MAX_TRIES)
    assert work(export).status == ExportStatus.FAILED
    assert ask_for_export(owner)["id"] != export["id"]


def test_export_link_without_a_file_is_not_mailed(owner, mailoutbox):
    export = ask_for_export(owner)
    for _ in range(2):
        work(export)
    exports.delete_export(Export.objects.get())
    send_due_mail()
    assert [mail for mail in mailoutbox if mail.subject == "Your data"] == []


def test_queued_export_mail_contains_no_link(owner):
    export = ask_for_export(owner)
    for _ in range(2):
        work(export)
    assert QueuedMail.objects.get(kind="accounts.export_ready").data == {"export": export["id"]}


def test_two_owners_get_separate_exports(owner):
    heir = make_teammate(owner, Role.OWNER)
    make_video(owner, "completed")
    assert len(exported(owner)["videos"]) == len(exported(heir)["videos"]) == 1


def test_files_of_an_unpacked_export_are_readable(owner):
    export = work(ask_for_export(owner))
    answer = fetch(exports.download_link(export))
    with zipfile.ZipFile(BytesIO(answer.getvalue())) as archive:
        modes = {info.external_attr >> 16 for info in archive.infolist()}
    assert modes == {0o600}
    assert default_storage.size(export.file) == export.bytes


def test_anonymous_request_for_an_export_is_refused(anonymous):
    assert refusal_of(anonymous.post(EXPORT)) == (401, "not_authenticated")


def test_person_without_data_gets_an_export(db):
    assert exported(make_caller())["videos"] == []

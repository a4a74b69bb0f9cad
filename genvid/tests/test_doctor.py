"""`manage.py doctor`: each part with a neighbour that works and with one that does not."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core import mail
from django.core.management import call_command
from django.db import connection

from billing import doctor as billing_doctor
from billing.models import PlanPrice
from billing.stripe import shop_setup, webhook_endpoint
from billing.stripe.stripe_client import post
from billing.stripe_sync import stripe_setup
from genvid import doctor, tasks
from genvid.doctor.base_parts import (
    bucket_rules,
    certificate,
    clock,
    configuration,
    database,
    disk,
    liveness,
    redis,
    storage,
)
from genvid.doctor.checks import CHECKS, PARTS, Check
from genvid.heartbeats.models import BEAT, Heartbeat
from genvid.leasing import from_now
from genvid.mail import doctor as mail_doctor
from genvid.schedule import queues
from genvid.tests import certificates
from genvid.tests.factories import make_caller, make_endpoint
from videos import doctor as videos_doctor
from videos.models import OperatorAlarm
from videos.provider import webhook_registration

pytestmark = pytest.mark.django_db
QUEUES = ", ".join(sorted(queue.name for queue in queues()))


def told(check: Check) -> dict[str, str]:
    """Sentence to level, of one check, run in this thread: it sees the rows of the test."""
    return {finding.found: finding.level.word for finding in check.findings()}


def the_failure(check: Check) -> str:
    (found,) = [finding.found for finding in check.findings() if finding.level == doctor.Level.FAILED]
    return found


# ── The command


def test_every_part_has_a_check():
    doctor.select()
    assert {each.part for each in CHECKS} == set(PARTS)


def test_the_parts_of_the_outside_world_are_examined_every_night():
    outside = {each.part for each in doctor.select(outside=True)}
    assert outside == {"storage", "mail", "heygen", "stripe", "clock", "settings"}


def test_a_check_that_does_not_end_has_failed_and_the_others_are_told():
    never = threading.Event()
    hangs = Check("redis", never.wait, seconds=0.01, advice="Wait.", is_outside=False)
    works = Check("disk", lambda: iter([doctor.ok("fine")]), seconds=60, advice="", is_outside=False)
    reports = list(doctor.examine([works, hangs]))
    never.set()
    assert [(each.part, each.level.word, each.found, each.advice) for each in reports] == [
        ("redis", "failed", "no answer in 0.01 s", "Wait."),
        ("disk", "ok", "fine", ""),
    ]


def test_what_a_check_raises_is_a_failure_of_one_line():
    def ask():
        raise RuntimeError("no\n  such thing")

    assert told(Check("disk", ask, seconds=600, advice="", is_outside=False)) == {"no such thing": "failed"}


def test_a_report_tells_what_is_wrong_alone():
    report = doctor.Report("disk", [doctor.ok("a"), doctor.warning("b", "Do b."), doctor.failed("c", "Do c.")])
    assert (report.level.word, report.found, report.advice) == ("failed", "b; c", "Do b. Do c.")


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_one_line_per_part(settings):
    settings.VIDEO_DISK_RESERVE = 1
    out = StringIO()
    call_command("doctor", "--only", "migrations", "--only", "storage", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["migrations", "storage"]


@pytest.mark.django_db(transaction=True)
def test_the_command_ends_with_code_1_and_says_so_in_json(settings):
    settings.VIDEO_DISK_RESERVE = 2**62
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--only", "disk", "--json", stdout=out)
    said = json.loads(out.getvalue())
    (part,) = said["parts"]
    assert (ended.value.code, said["ok"], part["name"], part["status"]) == (1, False, "disk", "failed")
    assert (part["advice"], "GiB free" in part["found"]) == (disk.ADVICE, True)


# ── Base


def test_the_database_tells_its_version_and_its_connections():
    (found,) = told(database.ask_database)
    assert found.startswith("PostgreSQL ")
    assert found.endswith(" of 300 connections in use")


def test_redis_tells_its_version():
    (found,) = told(redis.ask_redis)
    assert found.startswith("Redis ")


def test_a_production_without_redis_is_warned_of(settings):
    settings.REDIS_URL = ""
    assert list(told(redis.ask_redis).values()) == ["warning"]


def test_the_storage_is_written_read_and_left_as_it_was(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path}}
    }
    assert told(storage.ask_storage) == {f"folder {tmp_path} takes and returns files": "ok"}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_has_no_rules_for_pages():
    assert told(bucket_rules.ask_bucket_rules) == {}


@pytest.mark.parametrize(
    ("methods", "found"),
    [
        ([], {"the bucket does not let pages of this site read files and send files beyond 20 MB": "warning"}),
        (["GET", "HEAD"], {"the bucket does not let pages of this site send files beyond 20 MB": "warning"}),
        (["GET", "HEAD", "POST"], {"the bucket lets pages of this site read and send files": "ok"}),
    ],
)
@pytest.mark.parametrize("origin", ["*", "https://genvid.example.com"])
def test_a_bucket_without_a_rule_for_the_pages_of_this_site_is_warned_of(store, settings, origin, methods, found):
    settings.PUBLIC_URL = "https://genvid.example.com"
    store.cors.append({"AllowedOrigins": [origin], "AllowedMethods": methods, "AllowedHeaders": ["*"]})
    assert told(bucket_rules.ask_bucket_rules) == found


def test_a_rule_for_another_site_is_none_for_this_one(store, settings):
    settings.PUBLIC_URL = "https://genvid.example.com"
    store.cors.append({"AllowedOrigins": ["https://other.example.com"], "AllowedMethods": ["GET", "POST"]})
    assert list(told(bucket_rules.ask_bucket_rules).values()) == ["warning"]


def test_a_disk_near_its_reserve_is_warned_of(settings, tmp_path):
    settings.VAR_DIR = settings.MEDIA_ROOT = tmp_path
    settings.VIDEO_DISK_RESERVE = disk.shutil.disk_usage(tmp_path).free * 2 // 3
    assert list(told(disk.ask_disk).values()) == ["warning"]


def test_the_clock_is_the_databases():
    assert list(told(clock.compare_with_database).values()) == ["ok"]


@pytest.mark.parametrize(
    ("ahead", "uncertain", "level"),
    [(0.4, 0.0, "ok"), (-3.0, 0.0, "warning"), (6.0, 0.0, "failed"), (6.0, 1.5, "warning"), (6.0, 4.5, "ok")],
)
def test_a_skew_counts_as_far_as_it_is_certain(ahead, uncertain, level):
    assert clock.judge("HeyGen's", ahead, uncertain).level.word == level


def test_the_clock_is_compared_with_the_providers(sandbox):
    found = told(clock.compare_with_providers)
    assert [sentence.split()[-2:] for sentence in found] == [["HeyGen's", "clock"], ["Stripe's", "clock"]]


def test_a_beat_without_heartbeats_is_dead():
    assert list(told(liveness.ask_beat)) == ["has never given a heartbeat"]
    row = Heartbeat.objects.create(name=BEAT, beat_at=from_now(-100))
    assert the_failure(liveness.ask_beat).startswith("the last heartbeat was 10")
    Heartbeat.objects.filter(pk=row.pk).update(beat_at=from_now())
    assert list(told(liveness.ask_beat).values()) == ["ok"]


def test_queues_without_heartbeats_are_named():
    assert the_failure(liveness.ask_queues) == f"no heartbeat from {QUEUES}"


def test_a_queue_that_leaves_a_heartbeat_unanswered_is_named():
    for name in QUEUES.split(", "):
        Heartbeat.objects.create(name=name, beat_at=from_now(-5))
    assert told(liveness.ask_queues) == {f"heartbeats from {QUEUES}": "ok"}
    Heartbeat.objects.filter(name="ticks").update(beat_at=from_now(-200), asked_at=from_now(-100))
    assert the_failure(liveness.ask_queues) == "no heartbeat from ticks"


def test_columns_of_another_salt_key_are_named():
    make_endpoint(make_caller())
    assert told(configuration.ask_encrypted_columns) == {"encrypted columns decrypt": "ok"}
    foreign = Fernet(Fernet.generate_key()).encrypt(b"whsec_1").decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_webhookendpoint SET secret = %s", [foreign])
    assert the_failure(configuration.ask_encrypted_columns) == "cannot be decrypted: accounts.WebhookEndpoint.secret"


@pytest.mark.parametrize(
    ("days", "is_trusted", "level", "words"),
    [
        (90.5, True, "ok", "is good for 90 days"),
        (13.4, True, "failed", "is good for 13 days"),
        (-1.0, True, "failed", "has ended"),
        (90.5, False, "warning", "cannot be verified"),
    ],
)
def test_a_certificate_that_ends_within_a_fortnight_has_failed(tmp_path, monkeypatch, days, is_trusted, level, words):
    certificate_file, key = certificates.write_certificate(tmp_path, days=days)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file) if is_trusted else "/nowhere")
    with certificates.tls_server(certificate_file, key) as port:
        found = certificate.judge_certificate(certificates.HOST, port)
    assert (found.level.word, words in found.found) == (level, True), found


def test_an_address_that_nobody_serves_is_a_warning(closed_url, settings):
    settings.PUBLIC_URL = closed_url.replace("http:", "https:")
    assert list(told(certificate.ask_certificate).values()) == ["warning"]


# ── Mail


def test_mail_that_goes_to_files_has_failed(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    assert told(mail_doctor.ask_mail) == {"mail goes nowhere (filebased)": "failed"}
    settings.EMBEDDED = True
    assert told(mail_doctor.ask_mail) == {"mail goes nowhere (filebased), as `make run` means it": "ok"}


def test_a_mail_server_that_does_not_answer_has_failed(settings, closed_url):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(closed_url.rsplit(":", 1)[1])
    assert "refused" in the_failure(mail_doctor.ask_mail)


def test_a_mail_goes_to_staff_on_request(settings):
    settings.ALARM_EMAILS = ["staff@example.com"]
    assert told(mail_doctor.TEST_MAIL) == {"a mail went to staff@example.com": "ok"}
    assert [message.to for message in mail.outbox] == [["staff@example.com"]]


def test_nobody_to_mail_to_is_a_failure_of_the_test_mail(settings):
    settings.ALARM_EMAILS = []
    assert told(mail_doctor.TEST_MAIL) == {"no mail was sent: ALARM_EMAILS is empty": "failed"}


# ── HeyGen


def test_a_registered_webhook_and_a_filled_wallet_are_well(sandbox):
    sandbox.wallet(12.5)
    webhook_registration.ensure_registered()
    url = webhook_registration.webhook_url()
    assert told(videos_doctor.ask_heygen) == {
        "the key works, the wallet has 12.50 usd": "ok",
        f"HeyGen calls {url}": "ok",
    }


def test_a_webhook_that_is_not_registered_has_failed(sandbox):
    assert the_failure(videos_doctor.ask_heygen).startswith("HeyGen does not call http")


def test_a_webhook_whose_secret_is_lost_has_failed(sandbox):
    webhook_registration.ensure_registered()
    webhook_registration.ProviderWebhook.objects.all().delete()
    assert the_failure(videos_doctor.ask_heygen) == "the signing secret of HeyGen's webhook is not known here"


def test_an_empty_wallet_has_failed(sandbox):
    sandbox.wallet(0)
    webhook_registration.ensure_registered()
    assert the_failure(videos_doctor.ask_heygen).startswith("the wallet has 0")


def test_a_wrong_key_has_failed_with_what_to_do(sandbox, settings):
    settings.HEYGEN_API_KEY = "another key"
    (finding,) = videos_doctor.ask_heygen.findings()
    assert (finding.level.word, finding.advice) == ("failed", videos_doctor.KEY)


def test_the_renderer_of_test_keys_is_asked_with_its_key(sandbox, settings):
    settings.TEST_RENDERER_URL, settings.TEST_RENDERER_KEY = sandbox.url, settings.HEYGEN_API_KEY
    assert told(videos_doctor.ask_test_renderer) == {f"the test renderer answers at {sandbox.url}": "ok"}
    settings.TEST_RENDERER_KEY = "another key"
    assert the_failure(videos_doctor.ask_test_renderer).startswith(f"the test renderer at {sandbox.url} refuses")


# ── Stripe


def test_a_shop_that_was_set_up_is_well(sandbox):
    url = stripe_setup.set_up_stripe()
    count = PlanPrice.objects.filter(is_current=True).count()
    assert told(billing_doctor.ask_stripe) == {
        "the test key works": "ok",
        f"Stripe calls {url}": "ok",
        f"{count} prices are for sale": "ok",
    }


def test_a_shop_that_was_never_set_up_has_failed(sandbox):
    failures = [each.found for each in billing_doctor.ask_stripe.findings() if each.level == doctor.Level.FAILED]
    assert [failure[:24] for failure in failures] == ["Stripe does not call htt", "Stripe has no price for "]


def test_a_webhook_that_stripe_switched_off_has_failed(sandbox):
    url = stripe_setup.set_up_stripe()
    post(f"webhook_endpoints/{shop_setup.find_endpoint(url)}", key="off", disabled=True)
    assert the_failure(billing_doctor.ask_stripe) == f"Stripe has switched the webhook {url} off"


def test_a_webhook_with_other_events_is_warned_of(sandbox):
    url = stripe_setup.set_up_stripe()
    shop_setup.update_endpoint(shop_setup.find_endpoint(url), ["invoice.paid"])
    assert f"Stripe's webhook {url} has other events or another API version" in told(billing_doctor.ask_stripe)


def test_a_webhook_whose_secret_is_lost_at_stripe_has_failed(sandbox):
    stripe_setup.set_up_stripe()
    webhook_endpoint.WebhookEndpoint.objects.all().delete()
    assert the_failure(billing_doctor.ask_stripe) == "the signing secret of Stripe's webhook is not known here"


def test_a_price_that_stripe_does_not_sell_is_named(sandbox):
    stripe_setup.set_up_stripe()
    shop_setup.retire_price(PlanPrice.objects.get(plan__code="pack-100", is_current=True).stripe_price_id)
    assert the_failure(billing_doctor.ask_stripe) == "Stripe has no price for pack-100"


def test_a_restricted_key_is_tried_on_everything_that_it_has_to_read(sandbox, settings):
    settings.STRIPE_SECRET_KEY = "rk_test_0123456789abcdefABCDEF01"
    stripe_setup.set_up_stripe()
    assert told(billing_doctor.ask_stripe)["the restricted key reads all that it has to"] == "ok"


class RestrictedKeysStripe(BaseHTTPRequestHandler):
    """Stripe's answers to a restricted key (https://docs.stripe.com/keys/restricted-api-keys) without one right."""

    def do_GET(self) -> None:
        is_refused = self.path.startswith("/v1/disputes")
        message = "The provided key does not have the required permissions for this endpoint."
        body = {"error": {"type": "invalid_request_error", "message": message}} if is_refused else EMPTY_LIST
        content = json.dumps(body).encode()
        self.send_response(403 if is_refused else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


EMPTY_LIST = {"object": "list", "data": [], "has_more": False}


def test_a_right_that_a_restricted_key_lacks_is_named(settings):
    settings.STRIPE_SECRET_KEY = "rk_test_0123456789abcdefABCDEF01"
    with ThreadingHTTPServer(("127.0.0.1", 0), RestrictedKeysStripe) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        settings.STRIPE_API_HOST = f"http://127.0.0.1:{server.server_port}"
        found = the_failure(billing_doctor.ask_stripe)
        server.shutdown()
        thread.join()
    assert found == "the restricted key may not read disputes"


# ── Under `make run`


@pytest.mark.slow
@pytest.mark.embedded
def test_an_installation_of_make_run_is_well(embedded_site):
    # Until beat and every queue have given their first heartbeat.
    embedded_site.wait(
        lambda: (found := embedded_site.get("/readyz")) and b'"success":true' in found and b"starting" not in found
    )
    ended = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        env={"PATH": os.defpath, "GENVID_VAR": str(embedded_site.folder)},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=600,
    )
    said = json.loads(ended.stdout)
    statuses = {part["name"]: part["status"] for part in said["parts"]}
    # The disk is this machine's, and its load decides how old a server's Date is.
    assert (set(statuses), ended.returncode) == (set(PARTS), 0), said["parts"]
    assert {name for name, status in statuses.items() if status != "ok"} <= {"disk", "clock"}, said["parts"]


# ── Every night


@pytest.mark.django_db(transaction=True)
def test_what_fails_outside_at_night_is_an_alarm(sandbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    sandbox.wallet(30)
    webhook_registration.ensure_registered()
    url = stripe_setup.set_up_stripe()
    post(f"webhook_endpoints/{shop_setup.find_endpoint(url)}", key="off", disabled=True)
    assert tasks.examine_neighbours() == ["mail", "stripe"]
    alarms = dict(OperatorAlarm.objects.values_list("code", "text"))
    assert set(alarms) == {"doctor_mail", "doctor_stripe"}
    assert alarms["doctor_stripe"].startswith(f"Stripe has switched the webhook {url} off. ")

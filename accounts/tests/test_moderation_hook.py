"""The outside service that looks at texts."""

from collections.abc import Iterator

import pytest
from django.core.checks import run_checks
from django.db import transaction
from django.urls import path
from rest_framework import serializers
from rest_framework.response import Response

from accounts.enums import Outcome, ReviewState, Scope
from accounts.models import IdempotencyRecord, ModeratedAccount, ReviewedText
from accounts.moderation import checks, hook
from accounts.tests import moderation
from accounts.tests.moderation import REASON, make_rule, refusal_of_texts, released
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.serializers import StrictSerializer
from genvid.errors import ContentRefused, ProviderUnavailable
from genvid.tests.asserts import data_of, nothing_changes, refusal_of
from videos.models import OperatorAlarm

pytestmark = pytest.mark.django_db
SERVICES = "accounts.tests.moderation"
PATIENCE = 900.0
FAILING = ("crash", "answer_about_another_field", "answer_another_word", "answer_no_mapping", "missing")


@pytest.fixture(autouse=True)
def fresh_service() -> Iterator[None]:
    moderation.asked.clear()
    hook._failures.since = None
    with released():
        yield
    hook._failures.since = None


@pytest.fixture
def use(settings):
    def set_service(name: str, failure: str = "open") -> None:
        settings.MODERATION_HOOK = f"{SERVICES}.{name}"
        settings.MODERATION_HOOK_FAILURE = failure
        settings.MODERATION_HOOK_TIMEOUT = PATIENCE

    return set_service


def test_the_service_gets_the_account_and_its_texts(owner, use):
    use("allow")
    assert refusal_of_texts(owner, script="Hello.", title="Hi") is None
    assert moderation.asked == [(owner.account.pk, {"script": "Hello.", "title": "Hi"})]


def test_what_the_service_refuses_is_refused_with_its_reason_and_counted(owner, use):
    use("refuse_bombs")
    answer = refusal_of_texts(owner, script="A bomb.", title="Hi")
    assert (answer, ModeratedAccount.objects.get().refusals) == ({"script": "No bombs."}, 1)


def test_what_the_service_doubts_is_given_to_staff(owner, use):
    use("doubt_bombs")
    answer = refusal_of_texts(owner, script="A bomb.")
    text = ReviewedText.objects.get()
    assert (answer, text.why, text.state) == ({"script": checks.IN_REVIEW}, "Perhaps a bomb.", ReviewState.WAITING)


def test_the_service_is_not_asked_about_what_a_rule_refuses(owner, use):
    use("allow")
    make_rule()
    assert refusal_of_texts(owner, script="forbidden") == {"script": REASON}
    assert moderation.asked == []


def test_the_service_is_asked_about_what_a_rule_doubts(owner, use):
    use("refuse_bombs")
    make_rule("doubtful", outcome=Outcome.REVIEW)
    assert refusal_of_texts(owner, script="A doubtful bomb.") == {"script": "No bombs."}


@pytest.mark.parametrize("service", FAILING)
def test_texts_pass_a_service_that_fails_open(owner, use, service):
    use(service)
    with nothing_changes():
        assert refusal_of_texts(owner, script="A bomb.") is None


@pytest.mark.parametrize("service", FAILING)
def test_no_text_passes_a_service_that_fails_closed(owner, use, service):
    use(service, "closed")
    with nothing_changes(), pytest.raises(ProviderUnavailable) as refusal:
        refusal_of_texts(owner, script="A bomb.")
    assert refusal.value.retry_after == hook.RETRY_AFTER


@pytest.mark.parametrize("failure", ["open", "closed"])
def test_a_service_that_hangs_has_failed_after_its_time(owner, use, settings, failure):
    use("hang", failure)
    settings.MODERATION_HOOK_TIMEOUT = 0.01
    try:
        answer = refusal_of_texts(owner, script="Hello.")
    except ProviderUnavailable:
        answer = {"refused": "closed"}
    assert answer == (None if failure == "open" else {"refused": "closed"})


def test_calls_that_hang_hold_a_bounded_number_of_threads(owner, use, settings, monkeypatch):
    monkeypatch.setattr(hook, "_free", hook.threading.BoundedSemaphore(1))
    for service in ("hang", "allow"):
        use(service)
        settings.MODERATION_HOOK_TIMEOUT = 0.01
        refusal_of_texts(owner, script="Hello.")
    assert moderation.asked == []


def test_a_service_that_fails_for_long_raises_one_alarm_a_minute(owner, use, monkeypatch):
    monkeypatch.setattr(hook, "ALARM_AFTER", 0)
    use("crash")
    for _ in range(4):
        refusal_of_texts(owner, script="Hello.")
    alarm = OperatorAlarm.objects.get()
    assert (alarm.code, alarm.count, "Texts pass without it." in alarm.text) == ("moderation_hook_fails", 1, True)


def test_a_service_that_answers_between_its_failures_raises_no_alarm(owner, use, monkeypatch):
    monkeypatch.setattr(hook, "ALARM_AFTER", 0)
    for service in ("crash", "allow", "crash", "allow"):
        use(service)
        refusal_of_texts(owner, script="Hello.")
    assert OperatorAlarm.objects.count() == 0


@pytest.mark.parametrize(("name", "ids"), [("allow", []), ("missing", ["genvid.E042"]), ("", [])])
def test_a_service_that_cannot_be_imported_is_found_by_the_check(settings, name, ids):
    settings.MODERATION_HOOK = f"{SERVICES}.{name}" if name else ""
    assert [found.id for found in run_checks() if found.id == "genvid.E042"] == ids


# ── Where a request is checked


class NoteSerializer(StrictSerializer):
    note = serializers.CharField()


class NoteView(AccountViewSet):
    tag = "notes"
    endpoints = {
        "create": Endpoint(
            "createNote", scope=Scope.VIDEOS_WRITE, request=NoteSerializer, idempotency=Idempotency.ATOMIC
        ),
        "partial_update": Endpoint("changeNote", scope=Scope.VIDEOS_WRITE, request=NoteSerializer),
    }

    def texts_to_check(self):
        return {"note": self.body["note"]}

    def create(self, request):
        """Note."""
        assert transaction.get_connection().in_atomic_block
        return Response({"note": self.body["note"]})

    def partial_update(self, request):
        """Change."""
        return Response({"note": self.body["note"]})


urlpatterns = [path("notes", NoteView.as_view({"post": "create", "patch": "partial_update"}))]


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
def test_a_request_is_checked_before_the_transaction_of_its_idempotency_key(owner, use):
    use("refuse_bombs")
    answers = [owner.client.post("/notes", {"note": "bomb"}, HTTP_IDEMPOTENCY_KEY="key-1") for _ in range(2)]
    assert [refusal_of(answer) for answer in answers] == [(400, "content_refused")] * 2
    assert answers[0].json()["error"]["details"] == {"note": "No bombs."}
    assert (answers[1]["Idempotent-Replayed"], ModeratedAccount.objects.get().refusals) == ("true", 1)


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_request_without_a_key_is_checked(owner, use, method):
    use("refuse_bombs")
    send = getattr(owner.client, method)
    assert refusal_of(send("/notes", {"note": "bomb"})) == (400, "content_refused")


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
def test_an_allowed_request_goes_on(owner, use):
    use("refuse_bombs")
    assert data_of(owner.client.post("/notes", {"note": "Hi"}, HTTP_IDEMPOTENCY_KEY="key-1")) == {"note": "Hi"}


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
def test_a_service_that_fails_closed_uses_up_no_key(owner, use):
    use("crash", "closed")
    answer = owner.client.post("/notes", {"note": "Hi"}, HTTP_IDEMPOTENCY_KEY="key-1")
    assert (refusal_of(answer), answer["Retry-After"]) == ((503, "provider_unavailable"), str(hook.RETRY_AFTER))
    assert IdempotencyRecord.objects.count() == 0


def test_the_error_is_the_one_of_the_catalogue():
    assert (ContentRefused.code, ContentRefused.status, ContentRefused.retryable) == ("content_refused", 400, False)

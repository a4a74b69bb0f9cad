"""A genuine event: stored and noted once, mirrored as Stripe tells it, or not there at all."""

import inspect
from functools import partial

import pytest
import stripe
from django.apps import apps
from django.conf import settings
from djstripe.models import APIKey, Charge, Event, WebhookEventTrigger
from djstripe.models.base import StripeModel

from billing.gateway import inbox
from billing.services import nudges
from billing.tests.stripe_events import CHARGE, REFUND, SECRET, TableOfAnswers, deliver, event_of
from genvid.tests.asserts import refusal_of
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def endpoint(db):
    return inbox.endpoint_row("we_1", SECRET)


@pytest.fixture(autouse=True)
def noted(monkeypatch):
    """What the receivers pass on, in the order they did."""
    seen = []
    monkeypatch.setattr(nudges, "note_event", lambda kind, obj: seen.append((kind, obj["id"])))
    return seen


@pytest.fixture(autouse=True)
def answers(monkeypatch):
    table = TableOfAnswers({"/charges/ch_1": CHARGE})
    monkeypatch.setattr(stripe, "default_http_client", table)
    return table


def deliveries():
    return list(WebhookEventTrigger.objects.order_by("pk").values_list("valid", "processed", "event_id"))


def test_an_event_is_stored_and_noted(noted):
    answer = deliver(event_of())
    assert (answer.status_code, answer.content) == (200, b"")
    stored = Event.objects.get()
    assert (stored.id, stored.type, stored.data["object"]) == ("evt_1", "refund.created", REFUND)
    assert (noted, deliveries()) == ([("refund.created", "re_1")], [(True, True, "evt_1")])


def test_the_same_event_again_is_taken_and_not_noted_again(noted):
    assert [deliver(event_of()).status_code for _ in range(3)] == [200, 200, 200]
    assert (len(noted), Event.objects.count(), len(deliveries())) == (1, 1, 3)


@pytest.mark.parametrize("kind", inbox.EVENT_TYPES)
def test_every_kind_that_we_ask_for_is_noted(noted, kind):
    obj = {"id": "xx_1", "object": "something"}
    assert deliver(event_of(kind, obj)).status_code == 200
    assert noted == [(kind, "xx_1")]


@pytest.mark.parametrize("kind", ["product.updated", "billing.credit_grant.created"])
def test_other_kinds_are_stored_and_left_alone(noted, kind):
    assert deliver(event_of(kind, {"id": "xx_1", "object": "something"})).status_code == 200
    assert (noted, Event.objects.get().type) == ([], kind)


def test_the_object_is_read_again_and_mirrored(noted, answers):
    stale = {**CHARGE, "amount_refunded": 0}
    assert deliver(event_of("charge.refunded", stale)).status_code == 200
    assert Charge.objects.get().stripe_data["amount_refunded"] == 500
    assert (answers.asked, answers.versions) == (["GET /charges/ch_1"], {settings.STRIPE_API_VERSION})
    assert noted == [("charge.refunded", "ch_1")]


def test_what_is_noted_is_mirrored_already(monkeypatch):
    seen = []
    monkeypatch.setattr(
        nudges, "note_event", lambda kind, obj: seen.append(Charge.objects.filter(id=obj["id"]).exists())
    )
    assert (deliver(event_of("charge.refunded", CHARGE)).status_code, seen) == (200, [True])


def test_without_stripes_answer_nothing_is_stored_and_it_may_come_again(noted, answers):
    answers.objects["/charges/ch_1"] = None
    assert refusal_of(deliver(event_of("charge.refunded", CHARGE))) == (503, "provider_unavailable")
    assert (noted, Event.objects.count(), Charge.objects.count()) == ([], 0, 0)
    answers.objects["/charges/ch_1"] = CHARGE
    assert deliver(event_of("charge.refunded", CHARGE)).status_code == 200
    assert (len(noted), Event.objects.count()) == (1, 1)


def test_a_note_that_fails_leaves_nothing_and_the_next_delivery_works(noted, monkeypatch):
    remember = nudges.note_event

    def fail(kind, obj):
        apps.get_model("djstripe", "IdempotencyKey").objects.create(action="written before the failure", livemode=False)
        raise RuntimeError("out of order")

    monkeypatch.setattr(nudges, "note_event", fail)
    assert refusal_of(deliver(event_of("charge.refunded", CHARGE))) == (500, "server_error")
    assert (Event.objects.count(), Charge.objects.count()) == (0, 0)
    assert apps.get_model("djstripe", "IdempotencyKey").objects.count() == 0
    assert WebhookEventTrigger.objects.get().exception == "out of order"

    monkeypatch.setattr(nudges, "note_event", remember)
    assert deliver(event_of("charge.refunded", CHARGE)).status_code == 200
    assert (noted, Event.objects.count()) == ([("charge.refunded", "ch_1")], 1)


@pytest.mark.django_db(transaction=True)
def test_copies_that_arrive_together_are_noted_once(noted):
    events = [event_of(event_id=f"evt_{number}") for number in range(6)]
    answers = [answer for body in events for answer in in_parallel([partial(deliver, body)] * 8)]
    assert {answer.status_code for answer in answers} == {200}
    assert (len(noted), Event.objects.count(), WebhookEventTrigger.objects.count()) == (6, 6, 48)


# ── The key


def test_the_secret_key_is_nowhere_in_the_database(answers):
    assert deliver(event_of("charge.refunded", CHARGE)).status_code == 200
    rows = [row for model in apps.get_app_config("djstripe").get_models() for row in model.objects.values()]
    assert [row for row in rows if settings.STRIPE_SECRET_KEY in str(row)] == []
    assert APIKey.objects.count() == 0


def test_nobody_asks_stripe_whose_the_key_is(answers):
    assert deliver(event_of("charge.refunded", CHARGE)).status_code == 200
    assert [address for address in answers.asked if "account" in address] == []
    assert Charge.objects.get().djstripe_owner_account.id == settings.STRIPE_ACCOUNT_ID


def test_dj_stripe_still_asks_where_we_answer():
    """Renamed upstream, our answer would be heard by nobody, and the key be stored again."""
    assert "Account.get_or_retrieve_for_api_key(api_key)" in inspect.getsource(StripeModel._find_owner_account)

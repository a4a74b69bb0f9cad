"""HeyGen's webhooks about faces make a worker look sooner, and decide nothing."""

import pytest

from avatars.enums import CreationKind
from avatars.models import Creation
from avatars.own import hints
from avatars.tests.own_entries import fresh, order
from genvid.heygen.heygen_types import WebhookNotice
from videos.models import WebhookDelivery
from videos.pipeline import incoming_webhooks
from videos.provider.webhook_registration import EVENTS

pytestmark = pytest.mark.django_db
LATER = "2030-01-01T00:00:00Z"


@pytest.fixture
def creation(owner):
    made = order(owner, stored=False)
    Creation.objects.update(
        status="creating", provider_object_id="look_1", provider_group_id="group_1", due_at=LATER, attempt=1
    )
    return made


def deliver(event_type: str, **data: str) -> str:
    payload = {"event_type": event_type, "event_data": data}
    incoming_webhooks.store_delivery(WebhookNotice(f"evt_{event_type}", event_type, None, None, payload))
    delivery = WebhookDelivery.objects.get()
    incoming_webhooks.process_delivery(delivery.pk)
    delivery.refresh_from_db()
    return delivery.outcome


@pytest.mark.parametrize("event", hints.EVENTS)
@pytest.mark.parametrize("data", [{"avatar_id": "look_1"}, {"avatar_group_id": "group_1"}, {"group_id": "group_1"}])
def test_a_webhook_makes_it_due_and_changes_nothing_else(creation, woken, event, data):
    assert deliver(event, **data) == "looked at sooner"
    seen = fresh(creation)
    assert seen.due_at.year < 2030
    assert seen.status == "creating"
    assert ("avatars.work_on_creation", str(creation.pk)) in woken


@pytest.mark.parametrize("data", [{"avatar_id": "another"}, {}])
def test_a_webhook_about_something_else_touches_nothing(creation, data):
    assert deliver("instant_avatar.success", **data) in ("no such avatar", "names no avatar")
    assert fresh(creation).due_at.year == 2030


def test_an_empty_id_names_nothing(owner):
    order(owner, CreationKind.PHOTO_AVATAR, stored=False)
    assert deliver("instant_avatar.fail", avatar_id="") == "names no avatar"


def test_heygen_is_asked_for_these_events():
    assert set(hints.EVENTS) <= set(EVENTS)

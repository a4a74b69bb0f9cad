"""A web process that dies in a POST with `Idempotency-Key`: the repetition has the effect of one request."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from avatars.enums import UploadKind
from billing.tests.shop import Shop, plan
from genvid.tests import media_files
from genvid.tests.asserts import all_rows
from genvid.tests.callers import World
from genvid.tests.endpoint_table import TABLE, Rule, body_of, own_avatar, own_voice
from genvid.tests.process_death import STORED_ANSWER, killed_at
from genvid.tests.router import Operation, operations
from genvid.tests.uploads import make_upload, send

pytestmark = pytest.mark.django_db
KEY = "order-1"
PICTURE = media_files.picture()
REPEATABLE = [each for each in operations() if each.method == "POST" and each.endpoint.is_idempotent]
AT_STRIPE = ["POST billing/checkout", "POST billing/portal"]
DEATHS = [pytest.param(False, id="before its answer is stored"), pytest.param(True, id="after its answer is stored")]

Request = Callable[[], Any]


@pytest.fixture
def undone(world: World) -> Iterator[World]:
    """The world, in a transaction that is rolled back."""
    with transaction.atomic():
        yield world
        transaction.set_rollback(True)


def request_to(world: World, operation: Operation) -> Request:
    """Sends a request that is accepted, with its key."""
    client = world.askers["owner"].client
    if str(operation) == "POST uploads":
        return lambda: send(client, PICTURE, **{"Idempotency-Key": KEY})
    rule = TABLE[str(operation)]
    assert isinstance(rule, Rule)
    path, body = operation.path(world.ids[rule.of]), accepted_body(world, operation)
    return lambda: client.post(path, body, HTTP_IDEMPOTENCY_KEY=KEY)


def accepted_body(world: World, operation: Operation) -> dict[str, Any]:
    owner = world.askers["owner"]
    match str(operation):
        case "POST avatars":
            return own_avatar(world, owner) | {"upload_id": world.ids["upload"]}
        case "POST voices":
            sound = make_upload(world.owner, media_files.wav(), kind=UploadKind.AUDIO, content_type="audio/wav")
            return own_voice(world, owner) | {"upload_id": str(sound.pk)}
        case "POST billing/checkout":
            return {"plan_id": str(plan("pack-100").pk)}
    return body_of(world, owner, operation) or {}


def rows_gained_by(act: Callable[[], None]) -> dict[str, int]:
    """By table, in a transaction that is rolled back."""
    with transaction.atomic():
        before = all_rows()
        act()
        gained = {name: len(rows) - len(before[name]) for name, rows in all_rows().items()}
        transaction.set_rollback(True)
    return {name: count for name, count in gained.items() if count}


def send_dying_first(request: Request, *, after: bool) -> None:
    with killed_at(STORED_ANSWER, after=after):
        request()
    first, second = request(), request()
    assert (first.status_code // 100, first.json()["success"]) == (2, True)
    assert (second["Idempotent-Replayed"], second.json()["data"]) == ("true", first.json()["data"])


@pytest.mark.parametrize("after", DEATHS)
@pytest.mark.parametrize("operation", [each for each in REPEATABLE if str(each) not in AT_STRIPE], ids=str)
def test_a_request_repeated_after_its_process_died_has_its_effect_once(undone, operation, after):
    request = request_to(undone, operation)
    undisturbed = rows_gained_by(request)
    assert undisturbed["IdempotencyRecord"] == 1
    assert rows_gained_by(lambda: send_dying_first(request, after=after)) == undisturbed


@pytest.mark.parametrize("after", DEATHS)
@pytest.mark.parametrize("operation", [each for each in REPEATABLE if str(each) in AT_STRIPE], ids=str)
def test_a_page_of_stripe_repeated_after_its_process_died_is_opened_once(undone, sandbox, operation, after):
    shop = Shop(sandbox)
    shop.buy(undone.owner, "pack-500")
    request, before = request_to(undone, operation), pages_at(shop)
    undisturbed = rows_gained_by(request)
    assert pages_at(shop) == before + 1
    assert rows_gained_by(lambda: send_dying_first(request, after=after)) == undisturbed
    assert pages_at(shop) == before + 2


def pages_at(shop: Shop) -> int:
    counts = shop.stripe.records()["counts"]
    return int(counts["checkout.session"]) + int(counts.get("billing_portal.session", 0))

"""ETags of what clients poll."""

import pytest

from genvid.tests.asserts import data_of
from genvid.tests.factories import make_avatar, make_checkout, make_endpoint, make_payment, make_video, set_balance

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(owner, avatar):
    set_balance(owner, 1000)
    payload = {"script": "Hi {{name}}.", "avatar_id": str(avatar.pk), "rows": [{"name": "Ada"}]}
    return data_of(owner.client.post("/api/v1/batches", payload), 201)["id"]


def cancel_batch(owner, batch) -> None:
    owner.client.post(f"/api/v1/batches/{batch}/cancel")


def take_credits(owner, batch) -> None:
    set_balance(owner, 7)


CHANGES = {
    "avatars": lambda owner, batch: make_avatar(),
    "videos": cancel_batch,
    "batches": cancel_batch,
    "batches/{batch}": cancel_batch,
    "billing/wallet": take_credits,
    "billing/ledger": take_credits,
    "billing/payments": lambda owner, batch: make_payment(owner),
    "usage": lambda owner, batch: make_video(owner),
    "webhook-endpoints": lambda owner, batch: make_endpoint(owner),
}
UNCHANGED = ["voices", "billing/plans", "billing/fees", "billing/invoices", "billing/subscription"]


@pytest.mark.parametrize("path", [*CHANGES, *UNCHANGED])
def test_a_client_with_the_current_etag_gets_a_304(owner, batch, path):
    address = f"/api/v1/{path.format(batch=batch)}"
    etag = owner.client.get(address)["ETag"]
    again = owner.client.get(address, HTTP_IF_NONE_MATCH=etag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize("path", CHANGES)
def test_an_answer_that_has_changed_is_fetched_with_another_etag(owner, batch, path):
    address = f"/api/v1/{path.format(batch=batch)}"
    etag = owner.client.get(address)["ETag"]
    CHANGES[path](owner, batch)
    again = owner.client.get(address, HTTP_IF_NONE_MATCH=etag)
    assert data_of(again) is not None
    assert again["ETag"] != etag


def test_one_webhook_endpoint_has_an_etag(owner):
    address = f"/api/v1/webhook-endpoints/{make_endpoint(owner).pk}"
    etag = owner.client.get(address)["ETag"]
    assert owner.client.get(address, HTTP_IF_NONE_MATCH=etag).status_code == 304
    owner.client.patch(address, {"description": "Changed"})
    assert owner.client.get(address, HTTP_IF_NONE_MATCH=etag).status_code == 200


def test_the_deliveries_of_an_endpoint_have_an_etag(owner):
    address = f"/api/v1/webhook-endpoints/{make_endpoint(owner).pk}/deliveries"
    etag = owner.client.get(address)["ETag"]
    assert owner.client.get(address, HTTP_IF_NONE_MATCH=etag).status_code == 304


def test_a_purchase_that_is_waited_for_has_an_etag(owner):
    address = f"/api/v1/billing/checkout/{make_checkout(owner).stripe_session_id}"
    etag = owner.client.get(address)["ETag"]
    assert owner.client.get(address, HTTP_IF_NONE_MATCH=etag).status_code == 304


def test_another_account_gets_an_answer_of_its_own(owner, outsider, batch):
    etag = owner.client.get("/api/v1/billing/wallet")["ETag"]
    assert outsider.client.get("/api/v1/billing/wallet", HTTP_IF_NONE_MATCH=etag).status_code == 200

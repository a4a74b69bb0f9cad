import pytest
import stripe

from genvid.sandbox.tests.stripe_merchant import Merchant


def test_a_customer_is_made_changed_and_found(merchant: Merchant) -> None:
    made = merchant.api.customers.create({"email": "a@example.com", "metadata": {"one": "1", "two": "2"}})
    merchant.api.customers.update(made.id, {"name": "Ada", "metadata": {"two": "", "three": "3"}})

    found = merchant.api.customers.list({"email": "a@example.com"}).data

    assert [(one.id, one.name, dict(one.metadata.to_dict())) for one in found] == [
        (made.id, "Ada", {"one": "1", "three": "3"})
    ]
    assert merchant.api.customers.list({"email": "b@example.com"}).data == []


def test_an_update_event_has_the_previous_attributes(merchant: Merchant) -> None:
    merchant.api.customers.update(merchant.customer, {"name": "Ada"})

    event = merchant.actions.events()[-1]

    assert (event["type"], event["data"]["previous_attributes"]) == ("customer.updated", {"name": "Bo Buyer"})


def test_an_update_without_a_change_sends_no_event(merchant: Merchant) -> None:
    merchant.api.customers.update(merchant.customer, {"name": "Bo Buyer"})

    assert merchant.types() == ["customer.created"]


def test_a_deleted_customer_stays_retrievable_as_deleted(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    merchant.api.customers.delete(merchant.customer)

    assert merchant.api.customers.retrieve(merchant.customer).to_dict() == {
        "id": merchant.customer,
        "object": "customer",
        "deleted": True,
    }
    assert merchant.api.customers.list().data == []
    assert merchant.subscription(subscription).status == "canceled"


def test_a_deleted_customer_buys_nothing(merchant: Merchant) -> None:
    merchant.api.customers.delete(merchant.customer)

    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        merchant.session()


def test_a_product_can_come_with_its_price(merchant: Merchant) -> None:
    product = merchant.api.products.create(
        {"name": "Pack", "default_price_data": {"unit_amount": 500, "currency": "usd"}, "metadata": {"credits": "50"}}
    )

    price = merchant.api.prices.retrieve(product.default_price, {"expand": ["product"]})

    assert (price.unit_amount, price.type, price.product.metadata["credits"]) == (500, "one_time", "50")
    assert merchant.get(f"/v1/products/{product.id}/features")["data"] == []


def test_products_are_listed_by_whether_they_are_sold(merchant: Merchant) -> None:
    sold, retired = (merchant.api.products.create({"name": name}).id for name in ("A", "B"))
    merchant.api.products.update(retired, {"active": False})

    assert [one.id for one in merchant.api.products.list({"active": True}).data] == [sold]
    assert [one.id for one in merchant.api.products.list({"active": False}).data] == [retired]


def test_a_price_is_found_by_its_lookup_key(merchant: Merchant) -> None:
    params = {"product": merchant.product, "unit_amount": 1, "currency": "usd", "lookup_key": "pack"}
    old = merchant.api.prices.create(params)
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        merchant.api.prices.create(params)

    new = merchant.api.prices.create({**params, "transfer_lookup_key": True})

    assert [one.id for one in merchant.api.prices.list({"lookup_keys": ["pack"]}).data] == [new.id]
    assert merchant.api.prices.retrieve(old.id).lookup_key is None


def test_prices_are_listed_by_product_and_interval(merchant: Merchant) -> None:
    ids = [merchant.pack, merchant.basic, merchant.yearly]

    assert [one.id for one in merchant.api.prices.list({"product": merchant.product}).data] == ids[::-1]
    assert [one.id for one in merchant.api.prices.list({"recurring": {"interval": "year"}}).data] == [merchant.yearly]
    assert merchant.api.prices.list({"product": "prod_other"}).data == []


def test_a_retired_price_is_not_sold(merchant: Merchant) -> None:
    merchant.api.prices.update(merchant.pack, {"active": False})

    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        merchant.session()


def test_a_price_can_be_made_for_one_session(merchant: Merchant) -> None:
    data = {"currency": "usd", "unit_amount": 700, "product_data": {"name": "Special"}}

    session = merchant.session(line_items=[{"price_data": data, "quantity": 3}])

    assert (session.amount_total, session.currency) == (2100, "usd")
    assert [one.description for one in merchant.api.checkout.sessions.line_items.list(session.id).data] == ["Special"]


def test_events_can_be_asked_for_by_type(merchant: Merchant) -> None:
    merchant.charge()

    assert [one.type for one in merchant.api.events.list({"types": ["charge.succeeded", "price.created"]}).data] == [
        "charge.succeeded",
        "price.created",
    ]
    assert [one.type for one in merchant.api.events.list({"type": "charge.*"}).data] == [
        "charge.updated",
        "charge.succeeded",
    ]
    event = merchant.api.events.list({"type": "customer.created"}).data[0]
    assert (event.api_version, event.data.object.id) == ("2026-05-27.dahlia", merchant.customer)
    assert merchant.api.events.retrieve(event.id).id == event.id

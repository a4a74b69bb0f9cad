import pytest
import stripe

from genvid.sandbox.tests.stripe_shop import Shop


def test_a_customer_is_made_changed_and_found(shop: Shop) -> None:
    made = shop.api.customers.create({"email": "a@example.com", "metadata": {"one": "1", "two": "2"}})
    shop.api.customers.update(made.id, {"name": "Ada", "metadata": {"two": "", "three": "3"}})

    found = shop.api.customers.list({"email": "a@example.com"}).data

    assert [(one.id, one.name, dict(one.metadata.to_dict())) for one in found] == [
        (made.id, "Ada", {"one": "1", "three": "3"})
    ]
    assert shop.api.customers.list({"email": "b@example.com"}).data == []


def test_a_change_tells_what_was_before(shop: Shop) -> None:
    shop.api.customers.update(shop.customer, {"name": "Ada"})

    event = shop.pull.events()[-1]

    assert (event["type"], event["data"]["previous_attributes"]) == ("customer.updated", {"name": "Bo Buyer"})


def test_no_change_tells_nothing(shop: Shop) -> None:
    shop.api.customers.update(shop.customer, {"name": "Bo Buyer"})

    assert shop.types() == ["customer.created"]


def test_a_deleted_customer_stays_retrievable_as_deleted(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.api.customers.delete(shop.customer)

    assert shop.api.customers.retrieve(shop.customer).to_dict() == {
        "id": shop.customer,
        "object": "customer",
        "deleted": True,
    }
    assert shop.api.customers.list().data == []
    assert shop.subscription(subscription).status == "canceled"


def test_a_deleted_customer_buys_nothing(shop: Shop) -> None:
    shop.api.customers.delete(shop.customer)

    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        shop.session()


def test_a_product_can_come_with_its_price(shop: Shop) -> None:
    product = shop.api.products.create(
        {"name": "Pack", "default_price_data": {"unit_amount": 500, "currency": "usd"}, "metadata": {"credits": "50"}}
    )

    price = shop.api.prices.retrieve(product.default_price, {"expand": ["product"]})

    assert (price.unit_amount, price.type, price.product.metadata["credits"]) == (500, "one_time", "50")
    assert shop.get(f"/v1/products/{product.id}/features")["data"] == []


def test_products_are_listed_by_whether_they_are_sold(shop: Shop) -> None:
    sold, retired = (shop.api.products.create({"name": name}).id for name in ("A", "B"))
    shop.api.products.update(retired, {"active": False})

    assert [one.id for one in shop.api.products.list({"active": True}).data] == [sold]
    assert [one.id for one in shop.api.products.list({"active": False}).data] == [retired]


def test_a_price_is_found_by_its_lookup_key(shop: Shop) -> None:
    params = {"product": shop.product, "unit_amount": 1, "currency": "usd", "lookup_key": "pack"}
    old = shop.api.prices.create(params)
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        shop.api.prices.create(params)

    new = shop.api.prices.create({**params, "transfer_lookup_key": True})

    assert [one.id for one in shop.api.prices.list({"lookup_keys": ["pack"]}).data] == [new.id]
    assert shop.api.prices.retrieve(old.id).lookup_key is None


def test_prices_are_listed_by_product_and_interval(shop: Shop) -> None:
    ids = [shop.pack, shop.basic, shop.yearly]

    assert [one.id for one in shop.api.prices.list({"product": shop.product}).data] == ids[::-1]
    assert [one.id for one in shop.api.prices.list({"recurring": {"interval": "year"}}).data] == [shop.yearly]
    assert shop.api.prices.list({"product": "prod_other"}).data == []


def test_a_retired_price_is_not_sold(shop: Shop) -> None:
    shop.api.prices.update(shop.pack, {"active": False})

    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.session()


def test_a_price_can_be_made_for_one_session(shop: Shop) -> None:
    data = {"currency": "usd", "unit_amount": 700, "product_data": {"name": "Special"}}

    session = shop.session(line_items=[{"price_data": data, "quantity": 3}])

    assert (session.amount_total, session.currency) == (2100, "usd")
    assert [one.description for one in shop.api.checkout.sessions.line_items.list(session.id).data] == ["Special"]


def test_events_can_be_asked_for_by_type(shop: Shop) -> None:
    shop.charge()

    assert [one.type for one in shop.api.events.list({"types": ["charge.succeeded", "price.created"]}).data] == [
        "charge.succeeded",
        "price.created",
    ]
    assert [one.type for one in shop.api.events.list({"type": "charge.*"}).data] == [
        "charge.updated",
        "charge.succeeded",
    ]
    event = shop.api.events.list({"type": "customer.created"}).data[0]
    assert (event.api_version, event.data.object.id) == ("2026-05-27.dahlia", shop.customer)
    assert shop.api.events.retrieve(event.id).id == event.id

"""`/v1/…/search`."""

import pytest

from genvid.sandbox.tests.stripe_shop import Shop


@pytest.fixture
def people(shop: Shop) -> dict[str, str]:
    """Ids by name."""
    wanted = [("Ann", "red"), ("Annika", "blue"), ("Bo", "red")]
    made = {}
    for name, color in wanted:
        params = {"name": name, "email": f"{name.lower()}@example.com", "metadata": {"color": color}}
        made[name] = shop.api.customers.create(params).id
    return made


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('email:"ann@example.com"', ["Ann"]),
        ("email:'ANN@example.com'", ["Ann"]),
        ('name~"ann"', ["Annika", "Ann"]),
        ('metadata["color"]:"red"', ["Bo", "Ann"]),
        ('metadata["color"]:null', []),
        ('-metadata["color"]:"red"', ["Annika"]),
        ('metadata["color"]:"red" AND name~"ann"', ["Ann"]),
        ('metadata["color"]:"red" -name:"Bo"', ["Ann"]),
        ('name:"Bo" OR name:"Ann"', ["Bo", "Ann"]),
        ("created>0", ["Bo", "Annika", "Ann"]),
        ("created<=0", []),
    ],
)
def test_customers_are_found(query: str, names: list[str], people: dict[str, str], shop: Shop) -> None:
    found = shop.api.customers.search({"query": query})

    assert [one.name for one in found.data] == names


@pytest.mark.parametrize(
    "query",
    [
        "",
        "name",
        'colour:"red"',
        'name>"a"',
        'email:"a" AND name:"b" OR name:"c"',
        'metadata:"red"',
        'name["a"]:"b"',
        'created:"soon"',
        'name:"a" AND',
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query: str, shop: Shop) -> None:
    answer = shop.http.get("/v1/customers/search", params={"query": query})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "query")


def test_results_come_in_pages_and_are_counted_when_asked_for(people: dict[str, str], shop: Shop) -> None:
    first = shop.get("/v1/customers/search", query="created>0", limit=2, **{"expand[]": "total_count"})
    second = shop.get("/v1/customers/search", query="created>0", limit=2, page=first["next_page"])

    assert (first["object"], first["has_more"], first["total_count"]) == ("search_result", True, 3)
    assert (second["has_more"], second["next_page"], "total_count" in second) == (False, None, False)
    assert [one["id"] for one in first["data"] + second["data"]] == list(people.values())[::-1]


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("charges", "amount:1200"),
        ("payment_intents", 'status:"succeeded"'),
        ("invoices", "total>1000"),
        ("prices", 'active:"true" AND type:"recurring"'),
        ("products", 'name:"Credits"'),
        ("subscriptions", 'status:"active"'),
    ],
)
def test_everything_that_can_be_searched_is(kind: str, query: str, shop: Shop) -> None:
    shop.charge()
    shop.subscribe()

    found = shop.get(f"/v1/{kind}/search", query=query)["data"]

    assert len(found) >= 1
    assert {one["object"] + "s" for one in found} == {kind[:-1] + "s"}


def test_deleted_customers_are_not_found(people: dict[str, str], shop: Shop) -> None:
    shop.api.customers.delete(people["Bo"])

    assert shop.get("/v1/customers/search", query='name:"Bo"')["data"] == []

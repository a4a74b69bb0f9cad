"""The admin's pages of dj-stripe's copies: found by id, customer or e-mail, without names, cards and secrets."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing.admin import stripe_mirror
from billing.models import Customer, FormerCustomer
from billing.tests.stripe_objects import make_copy
from genvid.tests.asserts import queries_once_warm
from genvid.tests.employees import employee, panel_named, panels_of, titles_of
from genvid.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
NAMES = list(dict.fromkeys(stripe_mirror.PREFIXES.values()))
PERSONAL = (b"Bea Buyer", b"example.org", b"+49", b"Main Street", b"4242", b"fp_1", b"_secret_", b"/secret")


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    return client


def listed(staff, name, **query) -> list[str]:
    answer = staff.get(reverse(f"admin:djstripe_{name.lower()}_changelist"), query)
    return [row.id for row in answer.context["cl"].result_list]


@pytest.fixture
def customer(owner):
    Customer.objects.create(account=owner.account, stripe_customer_id="cus_1")
    return make_copy("Customer", "cus_1")


@pytest.mark.parametrize("name", NAMES)
def test_neither_list_nor_page_shows_personal_data_or_secrets(staff, name):
    row = make_copy(name)
    pages = [reverse(f"admin:djstripe_{name.lower()}_changelist")]
    pages.append(reverse(f"admin:djstripe_{name.lower()}_change", args=[row.pk]))
    shown = b"".join(staff.get(page).content for page in pages)
    assert [word for word in PERSONAL if word in shown] == []
    assert (b"succeeded" in shown, shown.count(b"12.00 USD")) == (True, 2)


@pytest.mark.parametrize("name", NAMES)
def test_a_list_needs_as_many_queries_for_three_rows_as_for_one(staff, name, customer):
    related = {"customer": customer} if name in stripe_mirror.OF_CUSTOMER else {}
    make_copy(name, **related)
    page = reverse(f"admin:djstripe_{name.lower()}_changelist")
    one = queries_once_warm(lambda: staff.get(page))
    for _ in range(2):
        make_copy(name, **related)
    assert queries_once_warm(lambda: staff.get(page)) == one


@pytest.mark.parametrize("term", ["ch_1", "cus_1", "pi_1", "owner@example.com", "OWNER@example.com"])
def test_a_charge_is_found_by_what_it_belongs_to(staff, customer, term):
    make_copy("Charge", "ch_1", customer=customer, payment_intent=make_copy("PaymentIntent", "pi_1"))
    make_copy("Charge", "ch_2")
    assert listed(staff, "Charge", q=term) == ["ch_1"]


@pytest.mark.parametrize("name", NAMES)
def test_every_copy_is_found_by_its_id(staff, name):
    row = make_copy(name)
    make_copy(name)
    assert listed(staff, name, q=row.id) == [row.id]


@pytest.mark.parametrize("term", ["ch_", "nobody@example.com", "x"])
def test_nothing_is_found_by_a_part_of_an_id_or_a_strangers_address(staff, customer, term):
    make_copy("Charge", "ch_1", customer=customer)
    assert listed(staff, "Charge", q=term) == []


def test_the_customers_page_leads_to_the_copies_of_what_is_theirs_now_and_was_before(staff, owner, customer):
    FormerCustomer.objects.create(account=owner.account, stripe_customer_id="cus_0")
    for name in stripe_mirror.OF_CUSTOMER:
        make_copy(name, f"{name}_of_theirs", customer=customer)
        make_copy(name, f"{name}_of_another")
    page = staff.get(reverse("admin:accounts_account_change", args=[owner.account.pk]))
    first, _ = rows = panel_named(page, "Copies of Stripe's objects").rows
    assert ["cus_1" in rows[0][0], "cus_0" in rows[1][0]] == [True, True]
    addresses = [cell.partition('href="')[2].partition('"')[0] for cell in first]
    found = [[row.id for row in staff.get(each).context["cl"].result_list] for each in addresses]
    assert found == [["cus_1"], *([f"{name}_of_theirs"] for name in stripe_mirror.OF_CUSTOMER)]


def test_the_panel_of_copies_needs_its_permission(owner, customer):
    page = reverse("admin:accounts_account_change", args=[owner.account.pk])
    shown = [titles_of(panels_of(employee("view_account", *more).get(page))) for more in ((), ("view_customer",))]
    assert shown == [[], ["Copies of Stripe's objects"]]


def test_the_page_of_a_copy_leads_to_what_it_belongs_to(staff, customer):
    charge = make_copy("Charge", "ch_1", customer=customer, payment_intent=make_copy("PaymentIntent", "pi_1"))
    page = staff.get(reverse("admin:djstripe_charge_change", args=[charge.pk])).content.decode()
    find = reverse("admin:find")
    assert [f'href="{find}?q={each}"' in page for each in ("cus_1", "pi_1")] == [True, True]


@pytest.mark.parametrize(("name", "stripe_id"), [("Refund", "re_1"), ("PaymentMethod", "pm_1"), ("Charge", "ch_9")])
def test_the_search_of_the_home_page_finds_a_copy_of_which_there_is_no_row_of_ours(staff, name, stripe_id):
    row = make_copy(name, stripe_id)
    answer = staff.get(reverse("admin:find"), {"q": stripe_id})
    assert answer["Location"] == reverse(f"admin:djstripe_{name.lower()}_change", args=[row.pk])


def test_the_search_of_the_home_page_prefers_our_own_row(staff, owner, customer):
    answer = staff.get(reverse("admin:find"), {"q": "cus_1"})
    assert answer["Location"] == reverse("admin:billing_customer_change", args=[owner.account.pk])

"""Why something cost what it cost: what has a fee, and the page of any hold."""

import re

import pytest
from django.urls import reverse

from billing import credits
from billing.models import Fee, Hold, LedgerEntry
from genvid.tests.asserts import queries_of
from genvid.tests.employees import employee, panel_named
from genvid.tests.factories import grant, make_avatar, make_payment

pytestmark = pytest.mark.django_db


def buy(person) -> None:
    """100 credits for 12 dollars."""
    grant(person, 100, payment_id=make_payment(person).pk)


def make_face(person, *, cost: int | None) -> str:
    avatar = f"avatar:{make_avatar().pk}"
    credits.hold(person.account.pk, 20, reference=avatar)
    credits.capture(avatar, 20, description="A photo avatar", provider_microdollars=cost)
    return avatar


def steps_of(reference: str, what: str = "photo_avatar") -> dict[str, tuple[str, str]]:
    why = credits.explain_fee(reference, what=what)
    return {step.name: (step.amount, step.how) for step in why.steps()}


def test_a_face_is_explained_from_its_fee_to_its_margin(owner):
    buy(owner)
    assert steps_of(make_face(owner, cost=1_000_000)) == {
        "Fee": ("photo avatar: 20 credits each", "in force when it was asked for"),
        "Held": ("20 credits", "now captured"),
        "Charged": ("20 credits", "A photo avatar"),
        "HeyGen's cost": ("1.0000 USD", "1000000 micro-dollars each"),
        "Worth": ("2.40 USD", "the last purchase: 12.00 USD for 100 credits"),
        "Margin": ("1.40 USD", "58 % of it"),
    }


def test_an_unknown_cost_has_no_margin(owner):
    buy(owner)
    steps = steps_of(make_face(owner, cost=None), "voice_clone")
    assert steps["HeyGen's cost"] == ("unknown", "no price of HeyGen's was set; so is the margin")
    assert not {"Worth", "Margin"} & set(steps)


def test_the_fee_is_that_of_the_time_of_the_hold(owner):
    face = make_face(owner, cost=0)
    Fee.objects.create(what="photo_avatar", credits=99)
    assert steps_of(face)["Fee"][0] == "photo avatar: 20 credits each"


def test_speech_within_the_free_seconds_was_free(owner):
    credits.charge(owner.account.pk, 0, reference="speech:1", description="", provider_microdollars=40_000)
    steps = steps_of("speech:1", "speech")
    assert (steps["Charged"], steps["HeyGen's cost"][0]) == (("nothing", "it was free"), "0.0400 USD")


def test_credits_of_what_failed_at_our_cost_were_given_back(owner):
    credits.hold(owner.account.pk, 2, reference="speech:1")
    credits.capture("speech:1", 0, provider_microdollars=40_000)
    steps = steps_of("speech:1")
    assert steps["Charged"] == ("nothing", "the hold was given back; the provider's cost is ours")


def test_what_was_never_held_has_no_steps(owner):
    assert steps_of("avatar:none") == {}


def test_an_explanation_takes_five_queries(owner):
    buy(owner)
    face = make_face(owner, cost=0)
    assert queries_of(lambda: steps_of(face)) == 5


# ── The page of a hold


def page_of(staff, hold: Hold) -> list[tuple]:
    response = staff.get(reverse("admin:billing_hold_change", args=[hold.pk]))
    return list(panel_named(response, "Why this price").rows)


def test_the_page_of_a_hold_explains_it_and_links_to_what_it_was_for(owner):
    face = make_face(owner, cost=1_000_000)
    rows = page_of(employee("view_hold"), Hold.objects.get())
    assert [row[0] for row in rows] == ["For", "Held", "Charged", "HeyGen's cost", "Margin"]
    links = re.findall(r'href="/admin/([a-z/]+)/([^/]+)/', " ".join(str(cell) for row in rows for cell in row))
    entry = LedgerEntry.objects.get(reference=face)
    assert links == [
        ("avatars/avatar", face.partition(":")[2]),
        ("billing/hold", str(Hold.objects.get().pk)),
        ("billing/ledgerentry", str(entry.pk)),
    ]


@pytest.mark.parametrize("kind", ["avatar", "voice"])
def test_the_customers_page_links_a_fee_to_what_it_was_for(owner, kind):
    reference = f"{kind}:{make_avatar().pk}"
    credits.charge(owner.account.pk, 3, reference=reference, description="A fee")
    staff = employee("view_account", "view_ledgerentry")
    response = staff.get(reverse("admin:accounts_account_change", args=[owner.account.pk]))
    newest = panel_named(response, "Ledger").rows[0]
    assert f'href="/admin/avatars/{kind}/{reference.partition(":")[2]}/change/"' in newest[5]

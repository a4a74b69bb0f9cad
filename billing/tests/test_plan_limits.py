"""Limits of plans for a customer's own material, in new installations and in those that were there before."""

from importlib import import_module

import pytest
from django.apps import apps

from billing.credits import PlanLimits, limits_of
from billing.models import Tier, Wallet
from genvid.tests.asserts import nothing_changes

pytestmark = pytest.mark.django_db
COLUMNS = ("uploads_per_day", "upload_bytes", "free_speech_seconds", "own_avatars", "own_voices")
EXPECTED = {
    "free": (20, 1_000_000_000, 60, 1, 1),
    "starter": (200, 10_000_000_000, 600, 3, 3),
    "pro": (500, 25_000_000_000, 1_800, 10, 10),
    "business": (1_000, 50_000_000_000, 3_600, 50, 50),
}


def of_own_material(limits: PlanLimits | Tier) -> tuple[int, ...]:
    return tuple(getattr(limits, name) for name in COLUMNS)


@pytest.mark.parametrize("tier", EXPECTED)
def test_a_plan_says_how_much_own_material_an_account_may_have(owner, tier):
    Wallet.objects.filter(pk=owner.account.pk).update(tier=tier)
    assert of_own_material(limits_of(owner.account.pk)) == EXPECTED[tier]


def test_an_account_without_a_plan_has_the_limits_of_free(owner):
    assert of_own_material(limits_of(owner.account.pk)) == EXPECTED["free"]


@pytest.fixture
def as_before(db) -> None:
    """Tiers as `migrate` finds them after it has added the columns, one of them the operator's own."""
    Tier.objects.create(code="studio", name="Studio", max_in_flight=7)
    defaults = {name: Tier._meta.get_field(name).default for name in COLUMNS}
    Tier.objects.update(**defaults)


def migrate() -> None:
    import_module("billing.migrations.0019_tiers_of_own_material").give_tiers_their_limits(apps, None)


def test_tiers_that_were_there_get_their_limits_and_those_of_the_operator_the_defaults(as_before):
    migrate()
    found = {tier.code: of_own_material(tier) for tier in Tier.objects.all()}
    assert found == EXPECTED | {"studio": EXPECTED["free"]}


def test_the_migration_may_run_again(as_before):
    migrate()
    with nothing_changes():
        migrate()

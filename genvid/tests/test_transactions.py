"""Parts of a transaction without savepoints."""

import pytest
from django.db import transaction

from accounts.models import Account
from genvid.tests.asserts import statements_of
from genvid.transactions import joined

pytestmark = pytest.mark.django_db(transaction=True)


@joined()
def make(name: str) -> None:
    Account.objects.create(name=name)


@joined()
def make_two() -> None:
    make("a")
    make("b")


def first_words(statements: list[str]) -> list[str]:
    return [statement.split()[0] for statement in statements]


def test_the_outermost_part_is_a_transaction_and_the_others_join_it():
    assert first_words(statements_of(make_two)) == ["BEGIN", "INSERT", "INSERT", "COMMIT"]


def test_an_exception_in_a_part_undoes_the_whole_transaction():
    def fail() -> None:
        with transaction.atomic():
            make("a")
            with joined():
                make("b")
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Account.objects.count() == 0


@pytest.mark.django_db(transaction=False)
def test_a_tests_own_transaction_outlives_an_exception():
    def fail() -> None:
        with joined():
            make("a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Account.objects.count() == 0

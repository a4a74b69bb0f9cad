"""docs/teams.md says who may what: the same as the code does."""

import pytest

from accounts.enums import Scope
from accounts.permissions import ROLES
from genvid.tests.permission_tables import tables, written


@pytest.mark.parametrize("name", ["roles", "endpoints"])
def test_the_page_has_the_table_that_the_code_has(name):
    assert written(name).splitlines() == tables()[name].splitlines()


def test_every_scope_is_somebodys():
    assert set(ROLES) == set(Scope)
    assert all(ROLES.values())

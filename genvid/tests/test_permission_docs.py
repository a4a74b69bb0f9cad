"""docs/teams.md has the permission tables of the code."""

import pytest

from accounts.enums import Scope
from accounts.permissions import ROLES
from genvid.tests.permission_tables import tables, written


@pytest.mark.parametrize("name", ["roles", "endpoints"])
def test_the_documented_permission_table_is_that_of_the_code(name):
    assert written(name).splitlines() == tables()[name].splitlines()


def test_every_scope_belongs_to_a_role():
    assert set(ROLES) == set(Scope)
    assert all(ROLES.values())

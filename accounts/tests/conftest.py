import pytest

from accounts.enums import Role
from genvid.tests.factories import Person, make_teammate


@pytest.fixture
def admin(owner: Person) -> Person:
    """May manage the owner's account, but not its owners."""
    return make_teammate(owner, Role.ADMIN)

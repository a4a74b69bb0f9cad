import pytest

from accounts.enums import Role
from genvid.tests.factories import Person, make_teammate


@pytest.fixture
def admin(owner: Person) -> Person:
    """An admin of the owner's account."""
    return make_teammate(owner, Role.ADMIN)

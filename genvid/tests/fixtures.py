"""The cast of three, and something for them to film with."""

import pytest

from accounts.enums import Role
from avatars.models import Avatar, Voice
from genvid.tests.factories import JsonClient, Person, make_avatar, make_caller, make_teammate, make_voice


@pytest.fixture
def owner(db: None) -> Person:
    return make_caller(email="owner@example.com", full_name="Olive Owner", company_name="Olive Films")


@pytest.fixture
def teammate(owner: Person) -> Person:
    """May do in the owner's account what its members may."""
    return make_teammate(owner)


@pytest.fixture
def viewer(owner: Person) -> Person:
    """May only look around in the owner's account."""
    return make_teammate(owner, role=Role.VIEWER)


@pytest.fixture
def outsider(db: None) -> Person:
    return make_caller(email="outsider@example.com", full_name="Oscar Outsider")


@pytest.fixture
def stranger(db: None) -> JsonClient:
    """A client that nobody has signed in to."""
    return JsonClient()


@pytest.fixture
def voice(db: None) -> Voice:
    return make_voice(name="Ada")


@pytest.fixture
def avatar(voice: Voice) -> Avatar:
    return make_avatar(name="Grace", default_voice=voice)

"""The avatar and voice of an order: what an account may use, read in one query."""

import pytest

from avatars.models import Avatar, Voice
from avatars.offers import offered_cast
from genvid.tests.asserts import queries_of
from genvid.tests.factories import make_avatar, make_voice

WITHDRAWALS = [{"is_hidden": True}, {"is_released": False}]


@pytest.fixture
def other_voice(db):
    return make_voice(name="Bea", language="German", supports_pause=True)


def cast(person, avatar, voice=None):
    return offered_cast(person.account.pk, avatar.pk, voice.pk if voice else None)


def test_an_avatar_comes_with_its_own_voice(owner, avatar, voice):
    found, spoken_by = cast(owner, avatar)
    assert (found, found.kind, found.engines, found.is_available) == (avatar, avatar.kind, avatar.engines, True)
    assert (spoken_by, spoken_by.name, spoken_by.language, spoken_by.supports_pause) == (voice, "Ada", "English", False)


def test_an_avatar_comes_with_the_voice_that_was_chosen(owner, avatar, other_voice):
    _, spoken_by = cast(owner, avatar, other_voice)
    assert (spoken_by, spoken_by.name, spoken_by.language, spoken_by.supports_pause) == (
        other_voice,
        "Bea",
        "German",
        True,
    )


def test_both_are_read_in_one_query_and_the_rest_on_access(owner, avatar, other_voice):
    assert queries_of(lambda: cast(owner, avatar)) == 1
    assert queries_of(lambda: cast(owner, avatar, other_voice)) == 1
    found, spoken_by = cast(owner, avatar)
    assert (found.name, spoken_by.gender) == ("Grace", "female")


def test_an_avatar_without_a_voice_comes_alone(owner):
    avatar = make_avatar(default_voice=None)
    assert cast(owner, avatar) == (avatar, None)


def test_retired_ones_are_found_as_such(owner, avatar, voice):
    Avatar.objects.update(is_available=False)
    Voice.objects.update(is_available=False)
    assert [each.is_available for each in cast(owner, avatar)] == [False, False]


@pytest.mark.parametrize("withdrawn", WITHDRAWALS, ids=str)
def test_a_withdrawn_avatar_is_missing_at_once(owner, avatar, voice, withdrawn):
    assert cast(owner, avatar, voice) == (avatar, voice)
    Avatar.objects.update(**withdrawn)
    assert cast(owner, avatar, voice) == (None, None)


@pytest.mark.parametrize("withdrawn", WITHDRAWALS, ids=str)
def test_a_withdrawn_voice_is_missing_at_once(owner, avatar, voice, withdrawn):
    assert cast(owner, avatar) == (avatar, voice)
    Voice.objects.update(**withdrawn)
    assert cast(owner, avatar) == cast(owner, avatar, voice) == (avatar, None)


def test_what_belongs_to_an_account_is_offered_to_it_alone(owner, outsider, avatar, voice):
    Voice.objects.update(account=owner.account)
    assert (cast(owner, avatar), cast(outsider, avatar)) == ((avatar, voice), (avatar, None))
    Avatar.objects.update(account=owner.account)
    assert (cast(owner, avatar), cast(outsider, avatar, voice)) == ((avatar, voice), (None, None))

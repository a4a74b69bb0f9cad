"""The shared cache: each value is computed once, and without a cache each time."""

import pytest

from accounts.auth import session_cache
from genvid import cache
from genvid.tests.asserts import data_of
from genvid.tests.factories import make_avatar

NOBODY = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}}


@pytest.fixture
def dead_cache(settings):
    settings.CACHES = NOBODY


def asked() -> tuple[list[int], object]:
    calls: list[int] = []

    def find() -> str:
        calls.append(1)
        return "found"

    return calls, find


def test_a_cached_value_is_not_computed_again():
    calls, find = asked()
    assert [cache.remembered("key", find, 60) for _ in range(3)] == ["found"] * 3
    assert len(calls) == 1


def test_a_deleted_value_is_computed_again():
    calls, find = asked()
    cache.remembered("key", find, 60)
    cache.delete("key")
    cache.remembered("key", find, 60)
    assert len(calls) == 2


def test_only_one_caller_in_a_period_is_the_first():
    assert [cache.is_first_in("key", 60) for _ in range(3)] == [True, False, False]


def test_without_a_cache_values_are_computed_and_every_caller_is_first(dead_cache):
    calls, find = asked()
    assert [cache.remembered("key", find, 60) for _ in range(2)] == ["found"] * 2
    assert [cache.is_first_in("key", 60) for _ in range(2)] == [True, True]
    assert cache.delete("key") is None
    assert len(calls) == 2


@pytest.mark.django_db
def test_a_dead_cache_stops_no_client(owner, dead_cache):
    avatar = make_avatar()
    answer = owner.client.post("/api/v1/videos", {"script": "Hello.", "avatar_id": str(avatar.pk)})
    assert data_of(answer, 201)["status"] == "queued"
    session_cache.forget_sessions(owner.caller.session_id)

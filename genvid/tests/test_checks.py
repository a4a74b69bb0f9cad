import pytest
from django.core.checks import run_checks

# dj-stripe's own checks look for endpoints without a secret.
pytestmark = pytest.mark.django_db


def ids_of_checks() -> list[str]:
    return [message.id for message in run_checks() if message.id.startswith("genvid.")]


def test_the_settings_of_the_tests_are_sound():
    assert ids_of_checks() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DEBUG": True, "PUBLIC_URL": "https://genvid.example"}, ["genvid.E001"]),
        ({"DEBUG": True, "PUBLIC_URL": "http://192.0.2.1:8000"}, ["genvid.E001"]),
        ({"DEBUG": True, "PUBLIC_URL": "http://127.0.0.1:8000"}, []),
        ({"DEBUG": False, "PUBLIC_URL": "https://genvid.example"}, []),
        ({"SECRET_KEY": "x" * 31}, ["genvid.E002"]),
        ({"SECRET_KEY": "x" * 32}, []),
        ({"HEYGEN_API_KEY": ""}, ["genvid.W001"]),
        ({"HEYGEN_BASE_URL": "http://api.heygen.com"}, ["genvid.E003"]),
        ({"HEYGEN_BASE_URL": "https://api.heygen.com"}, []),
        ({"STRIPE_SECRET_KEY": ""}, ["genvid.W003"]),
        ({"STRIPE_SECRET_KEY": f"pk_test_{'a' * 24}"}, ["genvid.E009"]),
        ({"STRIPE_SECRET_KEY": f"sk_test_{'a' * 23}"}, ["genvid.E009"]),
        ({"STRIPE_SECRET_KEY": f"rk_live_{'a' * 24}", "STRIPE_LIVE_MODE": True}, []),
        ({"STRIPE_SECRET_KEY": f"rk_live_{'a' * 24}", "STRIPE_LIVE_MODE": True, "DEBUG": True}, ["genvid.E010"]),
        ({"STRIPE_API_HOST": "http://api.stripe.com"}, ["genvid.E008"]),
        ({"STRIPE_API_HOST": "https://api.stripe.com"}, []),
        ({"ALLOW_PRIVATE_MEDIA_HOSTS": True, "ALLOW_PRIVATE_WEBHOOK_URLS": False, "TESTING": False}, ["genvid.W002"]),
        ({"ALLOW_PRIVATE_MEDIA_HOSTS": False, "ALLOW_PRIVATE_WEBHOOK_URLS": True, "TESTING": False}, ["genvid.W002"]),
        ({"ALLOW_PRIVATE_MEDIA_HOSTS": True, "TESTING": False, "EMBEDDED": True}, []),
        ({"VIDEO_SUBMIT_DEADLINE": 24 * 3600.0}, ["genvid.E004"]),
        ({"HEYGEN_MAX_CONCURRENT": 0}, ["genvid.E005"]),
        ({"SIGNUP_CREDITS": -1}, ["genvid.E006"]),
        ({"HOLD_MARGIN_PERCENT": -1}, ["genvid.E006"]),
    ],
)
def test_a_combination_that_loses_money_or_secrets_is_named(settings, changes, expected):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert ids_of_checks() == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"DEBUG": True, "PUBLIC_URL": "http://localhost.elsewhere.example"},
        {"HEYGEN_BASE_URL": "http://127.0.0.1.elsewhere.example"},
        {"STRIPE_API_HOST": "http://127.0.0.1.elsewhere.example"},
    ],
)
def test_a_host_that_only_begins_like_a_local_one_is_not_local(settings, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert len(ids_of_checks()) == 1

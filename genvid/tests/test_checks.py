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
        ({"JWT_SECRET": "x" * 31}, ["genvid.E013"]),
        ({"JWT_SECRET": "x" * 32}, []),
        ({"JWT_SECRET": "x" * 31, "SECRET_KEY": "x" * 31}, ["genvid.E002"]),
        ({"JWT_SECRET": "x" * 32, "JWT_SIGNING_KEY": "x" * 32}, ["genvid.W004"]),
        ({"JWT_SECRET": "x" * 31, "JWT_SIGNING_KEY": "x" * 31}, ["genvid.E013", "genvid.W004"]),
        ({"JWT_SECRET": "x" * 32, "JWT_SIGNING_KEY": "y" * 32}, ["genvid.E014"]),
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
        ({"OWN_AVATAR_CREATE_DEADLINE": 24 * 3600.0}, ["genvid.E045"]),
        ({"OWN_AVATAR_LEASE": 1.0}, ["genvid.E046"]),
        ({"S3_BUCKET": "films", "S3_REGION": "", "S3_ENDPOINT_URL": ""}, ["genvid.E040"]),
        ({"S3_BUCKET": "films", "S3_ENDPOINT_URL": "https://s3.eu-west-1.amazonaws.com"}, ["genvid.E040"]),
        ({"S3_BUCKET": "films", "S3_ENDPOINT_URL": "https://s3.cn-north-1.amazonaws.com.cn"}, ["genvid.E040"]),
        ({"S3_BUCKET": "films", "S3_REGION": "eu-west-1", "S3_ENDPOINT_URL": ""}, []),
        ({"S3_BUCKET": "films", "S3_REGION": "", "S3_ENDPOINT_URL": "https://bucket.example"}, []),
        ({"MEDIA_LINK_LIFETIME": 7 * 24 * 3600 + 1}, ["genvid.E041"]),
        ({"MEDIA_LINK_LIFETIME": 7 * 24 * 3600}, []),
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


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
        "http://app.example.com:443",
        "capacitor://localhost",
    ],
)
def test_an_origin_as_browsers_send_it_is_accepted(settings, origin):
    settings.CORS_ALLOWED_ORIGINS = [origin]
    assert [message for message in run_checks() if "CORS" in message.msg] == []


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "file://",
        "app.example.com",
        "//app.example.com",
        "https://",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com/studio",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://ada@app.example.com",
        "https://App.example.com",
        "https://bücher.example",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://app.example.com:",
        " https://app.example.com",
    ],
)
def test_an_origin_that_no_browser_sends_is_named(settings, origin):
    settings.CORS_ALLOWED_ORIGINS = ["https://fine.example.com", origin]
    (message,) = [message for message in run_checks() if not message.is_silenced()]
    assert (message.id, repr(origin) in message.msg) == ("genvid.E011", True)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("https://[", "is not a regular expression"),
        ("https://(a", "is not a regular expression"),
        (".*", "names no scheme"),
        (r"example\.com", "names no scheme"),
        (r"8}\.example\.com", "names no scheme"),
    ],
)
def test_a_pattern_for_origins_that_cannot_be_meant_is_named(settings, pattern, problem):
    settings.CORS_ALLOWED_ORIGIN_REGEXES = ["https://fine", pattern]
    (message,) = [message for message in run_checks() if not message.is_silenced()]
    assert (message.id, repr(pattern) in message.msg, problem in message.msg) == ("genvid.E012", True, True)


@pytest.mark.parametrize("pattern", [r"https://[a-z]+\.example\.com", r"https?:\/\/localhost(:\d+)?", "^https://a$"])
def test_a_sound_pattern_for_origins_is_accepted(settings, pattern):
    settings.CORS_ALLOWED_ORIGIN_REGEXES = [pattern]
    assert ids_of_checks() == []

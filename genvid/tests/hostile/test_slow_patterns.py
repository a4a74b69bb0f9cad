"""Input that makes a regular expression backtrack: every endpoint answers in less than a second."""

import time

import pytest

from genvid.tests.asserts import nothing_changes

pytestmark = pytest.mark.django_db
SLOW_SCRIPTS = {
    "breaks that never close": '<break time="' * 380,
    "digits before no unit": '<break time="' + "9" * 4900,
    "an attribute without its end": "<a x=" + " " * 4990,
    "tags that never close": "<a " * 1660,
    "an address at every letter": "-a" * 2400 + ".@",
    "names without end": "a." * 2499,
    "capitals and small letters": "aA" * 2500,
    "signs": "=+" * 2500,
    "open braces": "{{" * 2500,
    "nested braces": "{" * 4990,
    "braces and blanks": "{{" + " " * 4990,
    "no letter at all": "." * 4999 + "!",
    "one word": "a" * 5000,
    "blanks": " \t" * 2490 + "x",
}
MAX_SECONDS = 1.0
"""CPU time of the thread. A request takes some milliseconds."""


def seconds_of(action) -> float:
    begun = time.thread_time()
    action()
    return time.thread_time() - begun


@pytest.mark.parametrize("script", SLOW_SCRIPTS.values(), ids=SLOW_SCRIPTS)
@pytest.mark.parametrize("path", ["videos/quote", "batches/quote"])
def test_a_script_that_provokes_backtracking_takes_less_than_a_second(owner, avatar, path, script):
    payload = {"script": script, "avatar_id": str(avatar.pk)}
    payload |= {"rows": [{"name": "Ada"}]} if path.startswith("batches") else {}
    with nothing_changes():
        assert seconds_of(lambda: owner.client.post(f"/api/v1/{path}", payload)) < MAX_SECONDS


@pytest.mark.parametrize("email", ["a" * 240 + "@" + "a." * 6 + "!", "@" * 254, "a." * 126 + "@x", "a@" + "-" * 250])
def test_an_address_that_provokes_backtracking_takes_less_than_a_second(anonymous, email):
    payload = {"email": email, "password": "correct horse battery staple"}
    with nothing_changes():
        assert seconds_of(lambda: anonymous.post("/api/v1/auth/register", payload)) < MAX_SECONDS


@pytest.mark.parametrize("language", ["a" * 35, "en" + "-aa" * 11, "en-" * 11 + "!", "-" * 35])
def test_a_language_that_provokes_backtracking_takes_less_than_a_second(owner, language):
    assert seconds_of(lambda: owner.client.patch("/api/v1/profile", {"preferred_language": language})) < MAX_SECONDS


@pytest.mark.parametrize("header", ["wait=" + "9" * 8000, "wait," * 1600, "=" * 8000, 'wait="' + "\\" * 7990])
def test_a_prefer_header_that_provokes_backtracking_takes_less_than_a_second(owner, header):
    path = "/api/v1/videos/00000000-0000-0000-0000-000000000000"
    assert seconds_of(lambda: owner.client.get(path, HTTP_PREFER=header)) < MAX_SECONDS


@pytest.mark.parametrize("tag", ['"' * 8000, 'W/"a",' * 1300, "*" * 8000, '"a' * 4000])
def test_an_etag_that_provokes_backtracking_takes_less_than_a_second(owner, avatar, tag):
    path = f"/api/v1/avatars/{avatar.pk}"
    assert seconds_of(lambda: owner.client.get(path, HTTP_IF_NONE_MATCH=tag)) < MAX_SECONDS

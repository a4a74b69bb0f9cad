import hashlib
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from genvid.heygen.heygen_types import WebhookNotice
from genvid.heygen.webhook_signature import BadPayload, BadSignature, parse, verify
from genvid.tests.properties import given, st

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "whsec_abc"
BODY = b'{"event_type": "avatar_video.success", "event_data": {"video_id": "vid-1"}}'


def sign(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def stamp(seconds: int) -> dict[str, str]:
    return {"Heygen-Signature": sign(), "Heygen-Timestamp": str(int(NOW.timestamp()) + seconds)}


@pytest.mark.parametrize("name", ["Heygen-Signature", "heygen-signature", "Signature", "SIGNATURE"])
@pytest.mark.parametrize("write", ["{}", "sha256={}", " {} "])
def test_a_good_signature_passes_under_either_name(name, write):
    verify(BODY, {name: write.format(sign())}, [SECRET], NOW)


def test_during_a_rotation_both_secrets_pass():
    verify(BODY, {"Signature": sign(secret="old")}, ["new", "old"], NOW)
    verify(BODY, {"Signature": sign(secret="new")}, ["new", "old"], NOW)


@pytest.mark.parametrize("given", ["", "x", "ü", "\ud800", sign(BODY + b" "), sign(secret="other"), sign()[:-1]])
def test_a_wrong_signature_does_not_pass(given):
    with pytest.raises(BadSignature):
        verify(BODY, {"Heygen-Signature": given}, [SECRET], NOW)


def test_a_missing_signature_does_not_pass():
    with pytest.raises(BadSignature):
        verify(BODY, {}, [SECRET], NOW)


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_no_signature_passes(secrets):
    with pytest.raises(BadSignature):
        verify(BODY, {"Signature": sign(secret="")}, secrets, NOW)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_timestamp_within_five_minutes_passes(seconds):
    verify(BODY, stamp(seconds), [SECRET], NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_timestamp_further_off_does_not_pass(seconds):
    with pytest.raises(BadSignature):
        verify(BODY, stamp(seconds), [SECRET], NOW)


@pytest.mark.parametrize("text", ["", "soon", "1.5", "9" * 5000])
def test_a_timestamp_that_is_none_does_not_pass(text):
    with pytest.raises(BadSignature):
        verify(BODY, {"Signature": sign(), "Heygen-Timestamp": text}, [SECRET], NOW)


def test_a_delivery_is_read_in_our_words():
    raw = {
        "event_id": "evt_1",
        "event_type": "avatar_video.success",
        "event_data": {"video_id": "vid-1", "url": "https://f/v.mp4", "callback_id": "ours-1"},
        "created_at": "2026-11-22T12:00:00Z",
    }
    notice = parse(json.dumps(raw).encode(), {"Heygen-Event-Id": "delivery-1"})
    assert notice == WebhookNotice("delivery-1", "avatar_video.success", "vid-1", "ours-1", raw)


@pytest.mark.parametrize(
    ("headers", "body", "key"),
    [
        ({"HEYGEN-EVENT-ID": "h"}, b'{"event_id": "b"}', "h"),
        ({}, b'{"event_id": "b"}', "b"),
        ({}, b"{}", "sha256:" + hashlib.sha256(b"{}").hexdigest()),
        ({"Heygen-Event-Id": "x" * 201}, b'{"event_id": "b"}', "b"),
        ({"Heygen-Event-Id": "a b"}, b"{}", "sha256:" + hashlib.sha256(b"{}").hexdigest()),
    ],
)
def test_the_key_of_a_delivery_is_its_best_identifier(headers, body, key):
    assert parse(body, headers).key == key


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"event_type": null, "event_data": []}', b'{"event_data": "x"}', b'{"event_type": {"a": 1}}'],
)
def test_a_delivery_without_anything_known_still_parses(body):
    notice = parse(body, {})
    assert (notice.event_type, notice.video_id, notice.callback_id) == ("unknown", None, None)


def test_an_unknown_type_parses():
    assert parse(b'{"event_type": "hologram.success"}', {}).event_type == "hologram.success"


def test_characters_that_a_database_refuses_are_removed_from_a_delivery():
    body = b'{"event_type": "a\\u0000b", "event_data": {"video_id": "v\\ud800", "x\\u0000": ["\\u0000"]}}'
    notice = parse(body, {})
    assert (notice.event_type, notice.video_id) == ("ab", "v")
    assert notice.raw["event_data"] == {"video_id": "v", "x": [""]}


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"null", b"1", b'"x"', b"\xff", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 10**5, b"{"]
)
def test_a_body_that_is_no_object_is_a_bad_payload(body):
    with pytest.raises(BadPayload):
        parse(body, {})


def test_endless_nesting_is_a_bad_payload():
    deep = 900
    body = b'{"a": ' * deep + b"1" + b"}" * deep
    with pytest.raises(BadPayload):
        parse(body, {})


@given(st.binary(max_size=200), st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=4))
def test_any_bytes_parse_or_are_a_bad_payload(body, headers):
    with suppress(BadPayload):
        assert 1 <= len(parse(body, headers).key) <= 200

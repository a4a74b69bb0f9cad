"""Batches posted as forms with a CSV file."""

import io
from functools import partial

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from genvid.api.parsers import StrictFormParser
from genvid.errors import DomainError
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.properties import given, st
from videos.models import Batch
from videos.tests.batches import BATCHES, as_form, payload_for, videos_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def payload(avatar) -> dict:
    return payload_for(avatar)


def test_a_form_with_a_csv_makes_a_batch(owner, payload):
    form = as_form(
        payload, "name;city\r\nZoë;Rom\r\nBob;Paris".encode("utf-16"), captions="true", metadata='{"a": "b"}'
    )
    data = data_of(owner.client.post(BATCHES, form, format="multipart"), 201)
    assert (data["columns"], data["total"], data["captions"], data["metadata"]) == (
        ["name", "city"],
        2,
        True,
        {"a": "b"},
    )
    assert [video.script for video in videos_of(data["id"])] == [
        "Hello Zoë, welcome to our spring sale.",
        "Hello Bob, welcome to our spring sale.",
    ]


@pytest.mark.parametrize(
    ("content", "change", "fields"),
    [
        (b"", {}, ["rows_file"]),
        (b"name\n", {}, ["rows_file"]),
        (b"\xff\xff\x00", {}, ["rows_file"]),
        (b"name,city\nAda\n,Rome\nBob,Rome,x", {}, ["rows.1.name", "rows.2"]),
        (b"name;name\n1;2", {}, ["rows_file"]),
        (b"name\nAda", {"encoding": "klingon"}, ["encoding"]),
        (b"name\nAda", {"encoding": ""}, ["encoding"]),
        (b"\xef\xbb\xbfname\nAda", {"encoding": "windows-1252"}, ["encoding"]),
        (b"name\nM\xfcller", {"encoding": "utf-8"}, ["encoding"]),
        (b"", {"speed": "9"}, ["rows_file", "speed"]),
        (b"town\nRome", {}, ["script"]),
        (b"name\nAda", {"captions": "yes"}, ["captions"]),
        (b"name\nAda", {"captions": "1"}, ["captions"]),
        (b"name\nAda", {"speed": "fast", "captions": "", "background": "red"}, ["background", "captions", "speed"]),
        (b"name\nAda", {"metadata": "{"}, ["metadata"]),
        (b"name\nAda", {"rows": "[]"}, ["rows"]),
        (b"name,city\nAda,Rome\n,Paris", {}, ["rows.1.name"]),
    ],
    ids=str,
)
def test_an_invalid_form_names_its_field_and_makes_no_batch(owner, payload, content, change, fields):
    with nothing_changes():
        answer = owner.client.post(BATCHES, as_form(payload, content, **change), format="multipart")
        assert wrong_fields_of(answer) == fields


def test_an_error_in_a_csv_file_names_its_line(owner, payload):
    answer = owner.client.post(BATCHES, as_form(payload, b"name,city\n\nAda,Rome\n,Paris"), format="multipart")
    assert answer.json()["error"]["details"] == {"rows.1.name": "Line 4: Is empty; the script uses it."}


WINDOWS = "name;score\r\nMüller;12,5\r\nBob;3\r\nCyd;4\r\nDan;5\r\n".encode("cp1252")
QUOTE = f"{BATCHES}/quote"


def test_a_quote_of_a_csv_names_the_guessed_encoding_and_shows_three_rows(owner, payload):
    with nothing_changes():
        quoted = data_of(owner.client.post(QUOTE, as_form(payload, WINDOWS), format="multipart"))
    assert (quoted["encoding"], quoted["videos"]) == ("windows-1252", 4)
    assert quoted["sample"] == [
        {"name": "Müller", "score": "12,5"},
        {"name": "Bob", "score": "3"},
        {"name": "Cyd", "score": "4"},
    ]
    (warning,) = quoted["warnings"]
    assert (warning["code"], warning["field"]) == ("encoding_guessed", "encoding")
    assert "windows-1252 (reads “Müller”)" in warning["message"]


def test_a_batch_with_a_guessed_encoding_is_refused_until_the_encoding_is_named(owner, payload):
    with nothing_changes():
        refusal = owner.client.post(BATCHES, as_form(payload, WINDOWS), format="multipart")
    assert refusal.status_code == 400
    assert refusal.json()["error"]["details"] == {
        "encoding": "The file does not say its encoding: give the right one of windows-1252 (reads “Müller”). "
        "A quote shows the rows."
    }
    named = as_form(payload, WINDOWS, encoding="windows-1252")
    data = data_of(owner.client.post(BATCHES, named, format="multipart"), 201)
    assert [video.variables["name"] for video in videos_of(data["id"])] == ["Müller", "Bob", "Cyd", "Dan"]


def test_a_quote_of_a_file_in_a_named_encoding_has_no_warning(owner, payload):
    form = as_form(payload, "name\nŽofie".encode("cp1250"), encoding="cp1250")
    quoted = data_of(owner.client.post(QUOTE, form, format="multipart"))
    assert (quoted["encoding"], quoted["sample"], quoted["warnings"]) == ("windows-1250", [{"name": "Žofie"}], [])


def test_an_encoding_is_refused_with_rows_as_json(owner, payload):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(BATCHES, payload | {"encoding": "utf-8"})) == ["encoding"]


def test_only_the_columns_that_the_script_uses_need_a_valid_name(owner, payload):
    content = "Náme,E-mail address,,1st\nAda,ada@example.com,,x\n".encode()
    data = data_of(owner.client.post(BATCHES, as_form(payload, content), format="multipart"), 201)
    (video,) = videos_of(data["id"])
    assert data["columns"] == ["Náme", "E-mail address", "1st"]
    assert (video.script, video.variables["E-mail address"]) == (
        "Hello Ada, welcome to our spring sale.",
        "ada@example.com",
    )


def written_form(payload, boundary: str) -> bytes:
    fields = {name: value for name, value in payload.items() if name != "rows"}
    heads = {f'name="{name}"': value for name, value in fields.items()} | {
        'name="rows_file"; filename="r"': "name\nAda"
    }
    parts = [f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{heads[head]}\r\n" for head in heads]
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


def test_a_repeated_form_makes_one_batch_though_its_boundary_differs(owner, payload):
    made = []
    for boundary in ("aaaa", "bbbb"):
        kind, body = f"multipart/form-data; boundary={boundary}", written_form(payload, boundary)
        made.append(data_of(owner.client.generic("POST", BATCHES, body, kind, HTTP_IDEMPOTENCY_KEY="k"), 201)["id"])
    assert (made[0], Batch.objects.count()) == (made[1], 1)


def test_an_idempotency_key_with_another_file_is_refused(owner, payload):
    send = partial(owner.client.post, BATCHES, format="multipart", HTTP_IDEMPOTENCY_KEY="k")
    data_of(send(as_form(payload, b"name\nAda")), 201)
    with nothing_changes():
        assert refusal_of(send(as_form(payload, b"name\nBob"))) == (422, "idempotency_key_reused")


def test_a_form_that_is_not_utf_8_is_refused(owner, payload):
    body = written_form(payload | {"script": "Hi {{name}} \u00e9"}, "x").replace(b"\xc3\xa9", b"\xe9")
    with nothing_changes():
        answer = owner.client.generic("POST", BATCHES, body, "multipart/form-data; boundary=x")
        assert refusal_of(answer) == (400, "parse_error")


def test_a_form_with_text_beyond_ascii_is_read(owner, payload):
    body = written_form(payload | {"script": "Hi {{name}} \u00e9\u4f60"}, "x")
    data = data_of(owner.client.generic("POST", BATCHES, body, "multipart/form-data; boundary=x"), 201)
    assert data["script"] == "Hi {{name}} \u00e9\u4f60"


def test_a_form_with_a_second_file_is_refused(owner, payload):
    form = as_form(payload, b"name\nAda", script=as_form(payload, b"x")["rows_file"])
    with nothing_changes():
        assert refusal_of(owner.client.post(BATCHES, form, format="multipart")) == (400, "parse_error")


@given(st.binary(max_size=300))
def test_a_form_with_random_bytes_is_never_a_500(body):
    request = Request(APIRequestFactory().generic("POST", "/", body, "multipart/form-data; boundary=x"))
    try:
        form = StrictFormParser().parse(io.BytesIO(b"--x\r\n" + body), "", {"request": request})
    except DomainError as refusal:
        assert refusal.status == 400
        return
    assert all(isinstance(name, str) for name in form)


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\n\r\n", b"\xff"])
def test_a_broken_form_is_refused(owner, body):
    with nothing_changes():
        status, _ = refusal_of(owner.client.generic("POST", BATCHES, body, "multipart/form-data; boundary=x"))
    assert status == 400


def test_a_form_without_a_boundary_is_refused(owner):
    assert refusal_of(owner.client.generic("POST", BATCHES, b"x", "multipart/form-data")) == (400, "parse_error")


def test_a_form_that_is_too_large_is_refused(owner, payload):
    with nothing_changes():
        answer = owner.client.post(BATCHES, payload | {"script": "a" * (5 * 1024 * 1024)})
    assert refusal_of(answer) == (413, "payload_too_large")

"""The document is valid, complete and committed: all operations have texts, examples and errors."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from openapi_spec_validator import validate

from accounts.enums import KEY_SCOPES, EventType
from genvid.api.schema.examples import UNKNOWN
from genvid.api.schema.refusals import catalogue
from genvid.tests.contract import document, examples_of, operations, operations_of_viewsets, resolved

COPY = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
FREE = {
    *("register", "login", "refresh", "logout", "verify_email", "forgot_password", "reset_password"),
    *("accept_invitation", "download_export"),
}


def test_the_document_is_valid_openapi_3_1():
    assert document()["openapi"] == "3.1.0"
    validate(document())


def test_the_committed_copy_is_the_present_document(tmp_path):
    """`make openapi` writes it anew."""
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))
    assert COPY.read_text() == (tmp_path / "openapi.yaml").read_text()


@pytest.mark.parametrize(("query", "accept"), [("", "*/*"), ("?format=yaml", "application/json")])
def test_what_is_served_is_the_same_document_with_its_server(client, settings, query, accept):
    settings.PUBLIC_URL = "https://genvid.example.com"
    answer = client.get(f"/api/v1/schema/{query}", headers={"Accept": accept})
    assert answer["Content-Type"].startswith("application/vnd.oai.openapi")
    assert yaml.safe_load(answer.content) == document() | {"servers": [{"url": "https://genvid.example.com"}]}


@pytest.mark.parametrize(
    ("query", "accept"),
    [("?format=json", "*/*"), ("", "application/json"), ("", "text/json, */*")],
)
def test_the_document_can_be_had_as_json(client, settings, query, accept):
    answer = client.get(f"/api/v1/schema/{query}", headers={"Accept": accept})
    assert answer["Content-Type"].startswith("application/json")
    assert answer.json() == document() | {"servers": [{"url": settings.PUBLIC_URL}]}


def test_the_committed_copy_names_no_server():
    assert yaml.safe_load(COPY.read_text())["servers"] == [{"url": "/"}]


def test_what_may_be_left_out_is_not_filled_in_by_pages_that_try_a_call_out():
    filled = {
        parameter["name"]
        for _, _, operation in operations()
        for parameter in operation.get("parameters", ())
        if "example" in parameter and not parameter.get("required")
    }
    assert filled == {"limit"}


def test_the_files_behind_redirects_are_described():
    kinds = {
        operation["operationId"]: list(operation["responses"]["200"]["content"])
        for _, path, operation in operations()
        if path.rpartition("/")[2] in ("file", "thumbnail", "captions")
    }
    assert kinds == {
        "get_upload_file": ["audio/mpeg", "audio/wav", "image/jpeg", "image/png", "video/mp4", "video/webm"],
        "get_video_file": ["video/mp4"],
        "get_video_thumbnail": ["image/jpeg"],
        "get_video_captions": ["application/x-subrip", "text/vtt"],
    }


def test_bounds_are_those_of_the_server():
    schemas = document()["components"]["schemas"]
    assert schemas["ApiKeyInput"]["properties"]["scopes"]["minItems"] == 1
    assert schemas["ApiKeyInput"]["properties"]["scopes"]["maxItems"] == 20
    assert schemas["RegisterInput"]["properties"]["password"]["minLength"] == 8
    parameters = document()["paths"]["/api/v1/videos"]["get"]["parameters"]
    patterns = {each["name"]: each["schema"].get("pattern") for each in parameters}
    assert re.fullmatch(patterns["status"], "queued,processing")
    assert not re.fullmatch(patterns["status"], "queued,rendering")
    one = "7d4f1f0e-3a5b-4c8e-9b7a-2f6d1c0e8a51"
    assert re.fullmatch(patterns["ids"], ",".join([one] * 100))
    assert not re.fullmatch(patterns["ids"], ",".join([one] * 101))


def test_every_address_and_method_of_the_api_is_in_the_document():
    served = {(method, path) for method, path, _ in operations_of_viewsets()}
    assert {(method, path) for method, path, _ in operations()} == served


def test_every_operation_has_a_name_of_its_own():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("part", ["summary", "tags", "responses"])
def test_every_operation_has_a_declared_part(part):
    assert [operation["operationId"] for _, _, operation in operations() if not operation.get(part)] == []


def test_every_tag_is_explained():
    used = {tag for _, _, operation in operations() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in document()["tags"]}


def test_every_parameter_body_and_answer_has_an_example():
    """An archive has none; an address without parameters or body needs none."""
    without = [
        (operation["operationId"], place)
        for _, _, operation in operations()
        for place, content in examples_of(operation)
        if not {"example", "examples"} & set(content)
        and content["schema"].get("format") != "binary"
        and not ("in" in content and not content.get("required"))
    ]
    assert without == []


def test_every_example_fits_its_schema():
    for _, _, operation in operations():
        for _, content in examples_of(operation):
            given = [content["example"]] if "example" in content else []
            given += [each["value"] for each in content.get("examples", {}).values()]
            for example in given:
                whole = content["schema"] | {"components": document()["components"]}
                jsonschema.validate(example, whole, cls=jsonschema.Draft202012Validator)


def test_no_example_is_made_up():
    """A text field without an `example`."""
    assert [
        operation["operationId"]
        for _, _, operation in operations()
        if any(UNKNOWN in texts_of(content.get("example")) for _, content in examples_of(operation))
    ] == []


def texts_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts_of(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


def test_no_answer_is_an_object_of_unknown_fields():
    bare = [
        (operation["operationId"], status)
        for _, _, operation in operations()
        for status, answer in operation["responses"].items()
        if status[0] == "2"
        and "application/json" in answer.get("content", {})
        and answer["content"]["application/json"]["schema"]["properties"]["data"] == {"type": "object"}
    ]
    assert bare == []


# ── Errors and headers


def test_the_catalogue_of_errors_is_an_enumeration():
    assert document()["components"]["schemas"]["ErrorCode"]["enum"] == list(catalogue())


def test_every_error_is_the_envelope_and_names_its_codes():
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            if status[0] in "45":
                codes = resolved(answer)["x-codes"]
                assert {str(catalogue()[code].status) for code in codes} == {status}
                content = resolved(answer)["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorEnvelope"}
                assert list(content["examples"]) == codes


def test_every_code_but_three_is_the_answer_of_some_operation():
    """A method that a path has not is no operation, nothing plans to fail, and a body may come too slowly anywhere."""
    told = {
        code
        for _, _, operation in operations()
        for answer in operation["responses"].values()
        for code in resolved(answer).get("x-codes", ())
    }
    assert set(catalogue()) - told == {"method_not_allowed", "request_timeout", "server_error"}


def test_every_answer_names_its_request():
    for _, _, operation in operations():
        for answer in operation["responses"].values():
            assert {"X-Request-Id", "RateLimit-Limit"} <= set(resolved(answer)["headers"])


def test_whoever_repeats_a_request_safely_finds_the_header_described():
    declared = {(method, path) for method, path, endpoint in operations_of_viewsets() if endpoint.is_idempotent}
    described = {
        (method, path)
        for method, path, operation in operations()
        if "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", ())}
    }
    assert described == declared


# ── Who may


def test_only_signing_in_needs_no_token():
    free = {each["operationId"] for _, _, each in operations() if not each["security"] or {} in each["security"]}
    assert free == FREE


def test_an_api_key_is_named_where_a_key_can_have_the_scope():
    for _, _, operation in operations():
        keys = [way["apiKey"] for way in operation["security"] if "apiKey" in way]
        scopes = operation.get("x-scopes", [])
        assert keys == ([scopes] if set(scopes) & set(KEY_SCOPES) else [])


# ── Lists, links, webhooks


def test_every_list_documents_its_pages():
    for _, _, operation in operations():
        if operation["operationId"].startswith("list_"):
            assert {"limit", "cursor"} <= {parameter["name"] for parameter in operation["parameters"]}
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            assert schema["properties"]["meta"] == {"$ref": "#/components/schemas/PageMeta"}


def test_every_link_leads_to_an_operation():
    names = {operation["operationId"] for _, _, operation in operations()}
    links = {
        link["operationId"]
        for _, _, operation in operations()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }
    assert {"get_video", "cancel_batch", "get_webhook_endpoint"} <= links <= names


def test_every_event_is_described_and_its_example_fits():
    assert set(document()["webhooks"]) == set(EventType.values)
    for event in document()["webhooks"].values():
        content = event["post"]["requestBody"]["content"]["application/json"]
        whole = content["schema"] | {"components": document()["components"]}
        jsonschema.validate(content["example"], whole, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", ["docs/", "redoc/"])
def test_the_pages_are_html_that_loads_nothing_from_elsewhere(client, path):
    response = client.get(f"/api/v1/{path}")
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"https://" not in response.content

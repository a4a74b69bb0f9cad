"""The document is valid, complete, and says what the answers really look like."""

from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.urls import get_resolver
from openapi_spec_validator import validate

from genvid.tests.factories import JsonClient, grant, make_video

pytestmark = pytest.mark.django_db
ERROR = {"$ref": "#/components/schemas/ErrorEnvelope"}
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    answer = JsonClient().get("/api/v1/schema/")
    assert answer.status_code == 200
    return yaml.safe_load(answer.content)


def operations(document) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def check_against(document, method: str, path: str, response) -> None:
    """The answer fits what the document says of it."""
    content = document["paths"][path][method]["responses"][str(response.status_code)]["content"]
    schema = content["application/json"]["schema"] | {"components": document["components"]}
    jsonschema.validate(response.json(), schema, cls=jsonschema.Draft202012Validator)


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_the_generator_has_nothing_to_warn_of(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))
    assert (tmp_path / "openapi.yaml").stat().st_size > 0


def test_every_path_of_the_api_is_in_the_document(document):
    prefix = next(each for each in get_resolver().url_patterns if str(each.pattern) == "api/v1/")
    rooms = [each for each in prefix.url_patterns if not str(each.pattern)]
    routes = {f"/api/v1/{route.pattern}".replace("<uuid:pk>", "{id}") for room in rooms for route in room.url_patterns}
    assert set(document["paths"]) == routes


def test_every_operation_has_a_name_of_its_own(document):
    names = [operation["operationId"] for operation in operations(document).values()]
    assert sorted(set(names)) == sorted(names)


def test_every_operation_documents_its_errors_as_the_envelope(document):
    without = [
        key
        for key, operation in operations(document).items()
        if operation["responses"]["400"]["content"]["application/json"]["schema"] != ERROR
    ]
    assert without == []


def test_every_list_documents_limit_and_cursor(document):
    lists = {key: each for key, each in operations(document).items() if each["operationId"].startswith("list_")}
    without = [
        path
        for (_, path), operation in lists.items()
        if not {"limit", "cursor"} <= {parameter["name"] for parameter in operation.get("parameters", [])}
    ]
    assert without == []


def test_only_signing_in_needs_no_token(document):
    free = [path for (_, path), each in operations(document).items() if {} in each.get("security", [{}])]
    signing_in = ["auth/register", "auth/login", "auth/refresh", "auth/logout", "auth/email/verify"]
    assert sorted(free) == sorted(f"/api/v1/{path}" for path in signing_in)


@pytest.mark.parametrize("path", ["profile", "billing/wallet", "billing/ledger", "avatars", "voices", "videos"])
def test_what_is_read_fits_the_document(document, owner, avatar, path):
    make_video(owner, "completed", avatar=avatar)
    make_video(owner, avatar=avatar)
    grant(owner, 5)
    check_against(document, "get", f"/api/v1/{path}", owner.client.get(f"/api/v1/{path}"))


@pytest.mark.parametrize("path", ["avatars", "voices", "videos"])
def test_one_of_them_fits_the_document(document, owner, avatar, path):
    rows = {"avatars": avatar, "voices": avatar.default_voice, "videos": make_video(owner, "failed", avatar=avatar)}
    response = owner.client.get(f"/api/v1/{path}/{rows[path].pk}")
    check_against(document, "get", f"/api/v1/{path}/{{id}}", response)


def test_signing_in_fits_the_document(document, owner):
    body = {"email": owner.user.email, "password": owner.password}
    check_against(document, "post", "/api/v1/auth/login", owner.client.post("/api/v1/auth/login", body))


def test_a_registration_fits_the_document(document, stranger):
    body = {"email": "ada@example.com", "password": "a long enough one"}
    response = stranger.post("/api/v1/auth/register", body)
    assert response.status_code == 201
    check_against(document, "post", "/api/v1/auth/register", response)


@pytest.mark.parametrize("path", ["videos", "videos/quote"])
def test_what_is_made_fits_the_document(document, owner, avatar, path):
    body = {"script": "Hello.", "avatar_id": str(avatar.pk), "background": {"type": "color", "value": "#112233"}}
    check_against(document, "post", f"/api/v1/{path}", owner.client.post(f"/api/v1/{path}", body))


def test_webhooks_fit_the_document(document, owner):
    path, ids = "/api/v1/webhook-endpoints", "/api/v1/webhook-endpoints/{id}"
    made = owner.client.post(path, {"url": "https://93.184.216.34/", "events": ["*"]})
    check_against(document, "post", path, made)
    check_against(document, "get", path, owner.client.get(path))
    here = f"{path}/{made.json()['data']['id']}"
    check_against(document, "post", f"{ids}/test", owner.client.post(f"{here}/test"))
    check_against(document, "get", f"{ids}/deliveries", owner.client.get(f"{here}/deliveries"))


@pytest.mark.parametrize(("method", "path"), [("post", "videos"), ("get", "profile"), ("post", "auth/login")])
def test_an_error_fits_the_document(document, stranger, method, path):
    response = getattr(stranger, method)(f"/api/v1/{path}", {})
    assert response.status_code in (400, 401)
    check_against(document, method, f"/api/v1/{path}", response)


@pytest.mark.parametrize("path", ["docs/", "redoc/"])
def test_the_pages_are_html_that_loads_nothing_from_elsewhere(stranger, path):
    response = stranger.get(f"/api/v1/{path}")
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"https://" not in response.content

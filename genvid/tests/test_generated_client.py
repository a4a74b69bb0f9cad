"""A client that `openapi-python-client` makes of the document, used as a customer would: it runs, and has types."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from genvid.sandbox.process import unmeasured
from genvid.tests.factories import make_avatar
from genvid.tests.processes import WebProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
DOCUMENT = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
FILES = ("application/zip", "video/mp4", "image/jpeg", "application/x-subrip", "text/vtt")
OPTIONS = {"content_type_overrides": dict.fromkeys(FILES, "application/octet-stream"), "post_hooks": []}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The generated package, imported. A warning of the generator is an error: something would be missing."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "options.json").write_text(json.dumps(OPTIONS))
    words = ["generate", "--path", str(DOCUMENT), "--output-path", str(folder / "genvid_client"), "--meta", "none"]
    words += ["--config", str(folder / "options.json"), "--fail-on-warning"]
    tool = Path(sys.executable).with_name("openapi-python-client")
    environment = unmeasured(os.environ)
    done = subprocess.run([tool, *words], env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("genvid_client")
    sys.path.remove(str(folder))


@pytest.fixture
def customer(package: ModuleType, tmp_path: Path) -> Iterator["Customer"]:
    with WebProcess(tmp_path) as web:
        found = Customer(package, web.start().url)
        yield found
        found.leave()


class Customer:
    """Calls operations by tag and name, and checks their status."""

    def __init__(self, package: ModuleType, url: str) -> None:
        self.package, self.url = package, url
        self.client = package.Client(base_url=url, raise_on_unexpected_status=True)

    def sign_in(self, token: str) -> None:
        self.leave()
        self.client = self.package.AuthenticatedClient(base_url=self.url, token=token, raise_on_unexpected_status=True)

    def leave(self) -> None:
        self.client.get_httpx_client().close()

    def call(self, operation: str, status: int, *ids: UUID, **given: Any) -> Any:
        module = importlib.import_module(f"genvid_client.api.{operation}")
        answer = module.sync_detailed(*ids, client=self.client, **given)
        assert answer.status_code == status, answer.content
        return answer.parsed


def model(name: str, **fields: Any) -> Any:
    module = "".join(f"_{character.lower()}" if character.isupper() else character for character in name).strip("_")
    return getattr(importlib.import_module(f"genvid_client.models.{module}"), name)(**fields)


def test_a_generated_client_registers_quotes_creates_gets_and_lists(customer: Customer) -> None:
    avatar = make_avatar()
    body = model("RegisterInput", email="ada@example.com", password="a long enough one")
    customer.sign_in(customer.call("signing_in.register", 201, body=body).data.access_token)
    payload = model("VideoCreateInput", script="Hello and welcome.", avatar_id=avatar.pk)
    quote = customer.call("videos.quote_video", 200, body=payload).data
    made = customer.call("videos.create_video", 201, body=payload, idempotency_key="order-1").data
    assert (quote.affordable, quote.credits_) == (True, made.credits_.held)
    assert customer.call("videos.get_video", 200, made.id).data == made
    page = customer.call("videos.list_videos", 200)
    assert (page.data, page.meta.next_cursor) == ([made], None)


def test_every_module_of_a_generated_client_imports(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, "genvid_client."):
        importlib.import_module(module.name)


def test_a_generated_client_reads_errors(customer: Customer) -> None:
    body = model("LoginInput", email="nobody@example.com", password="wrong")
    error = customer.call("signing_in.login", 401, body=body).error
    assert (error.code, error.retryable) == ("invalid_credentials", False)

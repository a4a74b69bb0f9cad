"""Every endpoint is a declared action of a viewset, and released operations stay."""

import gc
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from django.urls import get_resolver
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter, SimpleRouter
from rest_framework.viewsets import ViewSetMixin

import accounts.urls
import avatars.urls
import billing.urls
import videos.urls
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.viewsets import StrictViewSet
from genvid.tests.contract import operations, resolved
from genvid.tests.factories import make_video
from genvid.tests.router import PAGES, views
from genvid.wsgi import application

RELEASED = Path(__file__).with_name("released_operations.txt")
FOR_EVERYBODY = {"AvatarViewSet", "VoiceViewSet", "PlanViewSet"}
"""Viewsets whose rows belong to no account."""


def released() -> list[list[str]]:
    return [line.split() for line in RELEASED.read_text().splitlines() if not line.startswith("#")]


def described() -> dict[str, tuple[str, str, set[str], set[str]]]:
    """Operation id: method, path, statuses that go well, error codes."""
    found = {}
    for method, path, operation in operations():
        answers = {status: resolved(answer) for status, answer in operation["responses"].items()}
        statuses = {status for status, answer in answers.items() if "x-codes" not in answer}
        codes = {code for answer in answers.values() for code in answer.get("x-codes", ())}
        found[operation["operationId"]] = (method.upper(), path, statuses, codes)
    return found


@pytest.mark.parametrize("line", released(), ids=lambda line: line[2])
def test_a_released_operation_keeps_its_method_path_statuses_and_codes(line):
    method, path, operation_id, statuses, codes = line
    now = described()[operation_id]
    assert (now[:2], set(statuses.split(",")) - now[2], set(codes.split(",")) - now[3]) == (
        (method, path),
        set(),
        set(),
    )


def test_every_operation_stands_in_the_released_list():
    assert sorted(described()) == sorted(line[2] for line in released())


def test_every_route_of_the_api_but_the_document_and_its_pages_is_served_by_a_viewset():
    (api,) = (each for each in get_resolver().url_patterns if str(each.pattern) == "api/v1/")
    others = {str(each.pattern) for each in api.url_patterns if not hasattr(each, "url_patterns")}
    assert others == set(PAGES)
    assert [route for route, view in views() if not issubclass(view.cls, ViewSetMixin)] == []


@pytest.mark.parametrize(
    "urls", [accounts.urls, avatars.urls, billing.urls, videos.urls], ids=lambda urls: urls.__name__
)
def test_routers_are_simple_ones_without_an_api_root(urls):
    routers = [each for each in vars(urls).values() if isinstance(each, SimpleRouter)]
    assert routers
    assert [each for each in routers if isinstance(each, DefaultRouter)] == []


def test_every_queryset_of_a_viewset_starts_from_the_caller():
    """The rows of `FOR_EVERYBODY` belong to no account."""
    classes = {view.cls for _, view in views() if view.cls.queryset is not None}
    assert {
        each.__name__ for each in classes if not (issubclass(each, AccountViewSet) and each.owned_by)
    } == FOR_EVERYBODY


def test_an_action_that_is_routed_but_not_declared_stops_the_start():
    class Undeclared(StrictViewSet):
        endpoints = {"list": Endpoint("list_things", "List the things", scope=None)}

        def list(self, request: Request) -> Response:
            return Response([])

        def destroy(self, request: Request) -> Response:
            return Response(status=204)

    with pytest.raises(ImproperlyConfigured, match="does not declare destroy"):
        Undeclared.as_view({"get": "list", "delete": "destroy"})


def test_a_declaration_without_an_action_stops_the_start():
    with pytest.raises(ImproperlyConfigured, match="without an action: list"):
        type("Empty", (StrictViewSet,), {"endpoints": {"list": Endpoint("list_things", "List", scope=None)}})


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["videos", "videos/{id}", "avatars", "videos?limit=0", "no-such-place/{id}"])
def test_a_request_leaves_no_reference_cycle_of_its_view(owner, path):
    """Each cycle would wait for the garbage collector, which stops the whole worker."""
    url = "/api/v1/" + path.replace("{id}", str(make_video(owner).pk))
    headers = {"Authorization": f"Bearer {owner.tokens.access_token}"}

    def ask() -> None:
        # Not through the test client, whose answers are cycles themselves.
        application.get_response(RequestFactory().get(url, headers=headers)).close()

    ask()
    left = left_for_the_collector(ask)
    assert [each for each in left if isinstance(each, (StrictViewSet, Response))] == []


def left_for_the_collector(act: Any) -> list[Any]:
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        act()
        gc.collect()
        return list(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_only_endpoints_that_ask_stripe_or_read_a_file_run_outside_the_transaction_of_their_stored_answer():
    """Inside, the transaction would stay open while a provider is asked, or a file is read and stored."""
    outside = {
        endpoint.operation_id
        for _, view in views()
        for endpoint in view.cls.endpoints.values()
        if endpoint.idempotency is Idempotency.EXTERNAL
    }
    assert outside == {"create_checkout", "create_portal", "create_upload"}

"""Every operation of the API, found by walking the router: what is not asked about here does not exist."""

import re
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

from genvid.api.endpoints import Endpoint

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PAGES = ("schema/", "docs/", "redoc/", "redoc/redoc.js")
"""The document and its pages, for everybody: their own tests look at them."""


@dataclass(frozen=True)
class Operation:
    method: str
    route: str
    """Below `/api/v1/`, each parameter as `{id}`."""
    endpoint: Endpoint

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def is_open(self) -> bool:
        """Whether somebody without any credentials is let in."""
        return self.endpoint.is_open

    def path(self, the_id: str = "00000000-0000-4000-8000-000000000000") -> str:
        return path_of(self.route, the_id)


def operations() -> list[Operation]:
    found = [
        Operation(method.upper(), route, view.cls.endpoints[action])
        for route, view in views()
        for method, action in view.actions.items()
        if method.upper() in METHODS
    ]
    return sorted(found, key=lambda operation: (operation.route, METHODS.index(operation.method)))


def wrong_methods() -> list[tuple[str, str]]:
    """Method and path of what no viewset offers, TRACE for good measure."""
    every = (*METHODS, "TRACE")
    return [
        (method, path_of(route)) for route, view in views() for method in every if method.lower() not in view.actions
    ]


def path_of(route: str, the_id: str = "00000000-0000-4000-8000-000000000000") -> str:
    return f"/api/v1/{route}".replace("{id}", the_id)


def views() -> list[tuple[str, Any]]:
    """Route and view function of everything under `/api/v1/`, the document and its pages left out."""
    (api,) = (each for each in get_resolver().url_patterns if str(each.pattern) == "api/v1/")
    apps = [each for each in api.url_patterns if hasattr(each, "url_patterns")]
    assert {str(each.pattern) for each in api.url_patterns} == {"", *PAGES}
    routes = [each for app in apps for each in app.url_patterns]
    return [(re.sub(r"<\w+:\w+>", "{id}", str(each.pattern)), each.callback) for each in routes]

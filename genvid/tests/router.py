"""Every operation of the API, found by walking the router: what is not asked about here does not exist."""

import re
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PAGES = ("schema/", "docs/", "redoc/")
"""The document and its pages, for everybody: their own tests look at them."""


@dataclass(frozen=True)
class Operation:
    method: str
    route: str
    """Below `/api/v1/`, each parameter as `{id}`."""
    view: Any

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def is_open(self) -> bool:
        """Whether somebody without any credentials is let in."""
        return not self.view.permission_classes

    def path(self, the_id: str = "00000000-0000-4000-8000-000000000000") -> str:
        return f"/api/v1/{self.route}".replace("{id}", the_id)


def operations() -> list[Operation]:
    found = [Operation(method, route, view) for route, view in _views() for method in METHODS if _has(view, method)]
    return sorted(found, key=lambda operation: (operation.route, METHODS.index(operation.method)))


def wrong_methods() -> list[Operation]:
    """What no view offers, TRACE for good measure."""
    every = (*METHODS, "TRACE")
    return [Operation(method, route, view) for route, view in _views() for method in every if not _has(view, method)]


def _views() -> list[tuple[str, Any]]:
    (api,) = (each for each in get_resolver().url_patterns if str(each.pattern) == "api/v1/")
    rooms = [each for each in api.url_patterns if hasattr(each, "url_patterns")]
    assert {str(each.pattern) for each in api.url_patterns} == {"", *PAGES}
    routes = [each for room in rooms for each in room.url_patterns]
    return [(re.sub(r"<\w+:\w+>", "{id}", str(each.pattern)), each.callback.cls) for each in routes]


def _has(view: Any, method: str) -> bool:
    return hasattr(view, method.lower())

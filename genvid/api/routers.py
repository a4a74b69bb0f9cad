"""The routers of the API: no trailing slash, UUID lookups, no root page."""

from typing import Any

from rest_framework.routers import DynamicRoute, Route, SimpleRouter


class Router(SimpleRouter):
    routes = [
        Route(
            url="^{prefix}$",
            mapping={"get": "list", "post": "create", "delete": "destroy_all"},
            name="{basename}-list",
            detail=False,
            initkwargs={"suffix": "List"},
        ),
        *SimpleRouter.routes[1:],
    ]

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)

    def get_default_basename(self, viewset: Any) -> str:
        return str(viewset.__name__.removesuffix("ViewSet").lower())


class SingletonRouter(Router):
    routes = [
        Route(
            url="^{prefix}$",
            mapping={
                "get": "retrieve",
                "post": "create",
                "put": "update",
                "patch": "partial_update",
                "delete": "destroy",
            },
            name="{basename}",
            detail=False,
            initkwargs={"suffix": "Instance"},
        ),
        DynamicRoute(url="^{prefix}/{url_path}$", name="{basename}-{url_name}", detail=False, initkwargs={}),
    ]

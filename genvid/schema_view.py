"""Serves the OpenAPI document as YAML or JSON."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

FORMATS: dict[str, type[BaseRenderer]] = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer2}


class SchemaNegotiation(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        wanted = request.query_params.get("format") or _named_by(request.headers.get("Accept", ""))
        renderer: Any = FORMATS.get(wanted, OpenApiYamlRenderer)()
        return renderer, renderer.media_type


def _named_by(accept: str) -> str:
    kinds = (each.partition(";")[0] for each in accept.lower().split(","))
    return next((name for kind in kinds for name in FORMATS if name in kind), "")


class SchemaView(SpectacularAPIView):
    content_negotiation_class = SchemaNegotiation

"""The root URL configuration. Unknown paths under `/api/` answer with the error envelope."""

from typing import Any

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from genvid import brand
from genvid.api.exceptions import not_found_view
from genvid.api.redoc import redoc_script
from genvid.docs_pages import docs_page
from genvid.health import healthz, readyz
from genvid.metrics.views import metrics
from genvid.pages import FaviconView, FrontView
from genvid.schema_view import SchemaView

# What is asked most stands first: Django tries one route after the other.
api: list[Any] = [
    path("", include("videos.urls")),
    path("", include("avatars.urls")),
    path("", include("billing.urls")),
    path("", include("accounts.urls")),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("redoc/redoc.js", redoc_script, name="redoc-script"),
    path("redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("", FrontView.as_view(), name="front"),
    path("brand.css", brand.stylesheet, name="brand-stylesheet"),
    path("favicon.ico", FaviconView.as_view(), name="favicon"),
    path("docs", RedirectView.as_view(pattern_name="docs-page", permanent=True)),
    path("docs/", docs_page, name="docs-page"),
    path("docs/<path:address>", docs_page, name="docs-page"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("media/", include("genvid.media_urls")),
    path("webhooks/", include("billing.webhook_urls")),
    path("webhooks/", include("videos.webhook_urls")),
    re_path(r"^(api|webhooks)(/.*)?$", csrf_exempt(not_found_view)),
]

handler400 = "genvid.api.exceptions.bad_request_view"
handler404 = "genvid.api.exceptions.not_found_view"
handler500 = "genvid.api.exceptions.server_error_view"

"""Serves Redoc without its one request to another host: its script loads a logo from its vendor."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import condition, require_safe

BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
FOREIGN_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
OWN_LOGO = "genvid/mark.svg"
FRESH_SECONDS = 24 * 3600


@cache
def script() -> bytes:
    found = finders.find(BUNDLE)
    if not found:
        raise ImproperlyConfigured(f"{BUNDLE} is not installed")
    return Path(found).read_bytes().replace(FOREIGN_LOGO, staticfiles_storage.url(OWN_LOGO).encode())


@cache
def compressed_script() -> bytes:
    return gzip.compress(script(), mtime=0)


@cache
def script_etag() -> str:
    return f'W/"{hashlib.sha256(script()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=lambda request: script_etag())
def redoc_script(request: HttpRequest) -> HttpResponse:
    is_small = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(
        compressed_script() if is_small else script(), content_type="text/javascript; charset=utf-8"
    )
    if is_small:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    patch_cache_control(response, public=True, max_age=FRESH_SECONDS)
    return response

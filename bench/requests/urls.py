"""The URLs of genvid, and below `/reference/` those of the reference designs."""

from django.urls import include, path

from bench.requests.reference import router
from genvid import urls
from genvid.urls import handler400, handler404, handler500

urlpatterns = [*urls.urlpatterns, path("reference/", include(router.urls))]

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]

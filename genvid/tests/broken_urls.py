"""A URLconf whose views go wrong in ways that nobody foresaw."""

from typing import NoReturn

from django.db import OperationalError
from django.http import HttpRequest
from django.urls import path
from rest_framework.request import Request

from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import StrictViewSet

handler500 = "genvid.api.exceptions.server_error_view"


class Broken(StrictViewSet):
    endpoints = {"list": Endpoint("break", "Break", scope=None)}

    def list(self, request: Request) -> NoReturn:
        raise ZeroDivisionError("secret detail")


class WithoutDatabase(StrictViewSet):
    endpoints = {"list": Endpoint("lose_database", "Lose the database", scope=None)}

    def list(self, request: Request) -> NoReturn:
        raise OperationalError("connection to secret host refused")


def broken_page(request: HttpRequest) -> NoReturn:
    raise ZeroDivisionError("secret detail")


urlpatterns = [
    path("broken", Broken.as_view({"get": "list"})),
    path("without-database", WithoutDatabase.as_view({"get": "list"})),
    path("broken-page", broken_page),
    path("api/v1/broken", Broken.as_view({"get": "list"})),
    path("api/v1/broken-page", broken_page),
]

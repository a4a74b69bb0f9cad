"""A URLconf whose views go wrong in ways that nobody foresaw."""

from typing import NoReturn

from django.db import OperationalError
from django.http import HttpRequest
from django.urls import path
from rest_framework.request import Request

from genvid.api.views import StrictAPIView

handler500 = "genvid.api.exceptions.server_error_view"


class Broken(StrictAPIView):
    permission_classes = ()

    def get(self, request: Request) -> NoReturn:
        raise ZeroDivisionError("secret detail")


class WithoutDatabase(StrictAPIView):
    permission_classes = ()

    def get(self, request: Request) -> NoReturn:
        raise OperationalError("connection to secret host refused")


def broken_page(request: HttpRequest) -> NoReturn:
    raise ZeroDivisionError("secret detail")


urlpatterns = [
    path("broken", Broken.as_view()),
    path("without-database", WithoutDatabase.as_view()),
    path("broken-page", broken_page),
]

"""Middleware of pages that people sign in to: sessions, their users, messages. The API, webhooks and files have none.

Each would only cost time there, and leave a cycle of references that nothing but a garbage collection frees.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.middleware import csrf
from django_otp import middleware as otp

WITHOUT_SESSION = ("/api/", "/webhooks/", "/media/")

if TYPE_CHECKING:

    class Middleware:
        get_response: Any

        def __call__(self, request: HttpRequest) -> Any: ...

else:
    Middleware = object


class OfPages(Middleware):
    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(WITHOUT_SESSION):
            return self.get_response(request)
        return super().__call__(request)


class SessionMiddleware(OfPages, sessions.SessionMiddleware):
    pass


class CsrfMiddleware(OfPages, csrf.CsrfViewMiddleware):
    """Views below these paths are exempt: they take no cookies."""


class AuthenticationMiddleware(OfPages, auth.AuthenticationMiddleware):
    pass


class OTPMiddleware(OfPages, otp.OTPMiddleware):
    pass


class MessageMiddleware(OfPages, messages.MessageMiddleware):
    pass

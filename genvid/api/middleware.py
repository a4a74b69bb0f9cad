"""Below /api and /webhooks every error is the envelope, also where Django or a page's view would answer HTML."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from genvid.api.exceptions import error_object, error_of_status
from genvid.api.renderers import error_response

ROOTS = ("/api", "/webhooks")
OF_THE_PAGE = frozenset({"content-type", "content-length"})


class EnvelopeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path_info.startswith(ROOTS):
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        return _enveloped(response)


def _enveloped(page: HttpResponse) -> HttpResponse:
    error = error_object(error_of_status(page.status_code))
    answer = error_response(page.status_code, error)
    for name, value in page.items():
        if name.lower() not in OF_THE_PAGE:
            answer[name] = value
    return answer

"""Below /api and /webhooks every error is the envelope, also where Django or a page's view would show HTML."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from genvid.api.exceptions import FRAMEWORK_MESSAGES, error_object
from genvid.api.renderers import error_response
from genvid.errors import DomainError

ROOTS = ("/api", "/webhooks")
CODES = {
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
}
OF_THE_PAGE = frozenset({"content-type", "content-length"})


class EnvelopeMiddleware:
    """While debugging, Django shows its own pages for unknown paths, wrong hosts and errors; the log has them too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path_info.startswith(ROOTS):
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        return _enveloped(request, response)


def _enveloped(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    status = page.status_code
    code = "server_error" if status >= 500 else CODES.get(status, "validation_error")
    message = DomainError.message if status >= 500 else FRAMEWORK_MESSAGES.get(code, "This method is not offered here.")
    answer = error_response(status, error_object(code, message), request)
    for name, value in page.items():
        if name.lower() not in OF_THE_PAGE:
            answer[name] = value
    return answer

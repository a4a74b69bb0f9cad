"""The product's front page: a studio on top of the public API."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.views.generic import RedirectView, TemplateView

from genvid.page_policies import header_value, media_sources, permissions, plain_bucket


class FaviconView(RedirectView):
    http_method_names = ["get", "head", "options"]

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        return static("genvid/mark.svg")


class FrontView(TemplateView):
    template_name = "genvid/front.html"
    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = content_security_policy()
        # A photo for a presenter, and a recording for a voice.
        response["Permissions-Policy"] = permissions("camera", "microphone")
        response["Cache-Control"] = "no-cache"
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = {
            "public_url": settings.PUBLIC_URL,
            "signup_credits": settings.SIGNUP_CREDITS,
            "verification_required": settings.REQUIRE_VERIFIED_EMAIL,
            "direct_uploads": bool(settings.S3_BUCKET),
        }
        return super().get_context_data(**page, **kwargs)


def content_security_policy() -> str:
    # A bucket's signed links are followed by the script before a player gets them, and large files are sent there.
    links = ["'self'", "https:", *plain_bucket()] if settings.S3_BUCKET else ["'self'"]
    policy = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": links,
        "img-src": [*media_sources(), "data:"],
        "media-src": [*media_sources(), "blob:"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return header_value(policy)

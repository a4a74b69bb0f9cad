"""The operator's brand from the settings, for pages, mails and the admin."""

from email.headerregistry import Address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_LIGHTER = {50: 8, 100: 15, 200: 28, 300: 45, 400: 70}
_DARKER = {700: 86, 800: 72, 900: 60, 950: 42}


def context(_: HttpRequest | None = None) -> dict[str, Any]:
    names = {"name": "BRAND_NAME", "color": "BRAND_COLOR", "logo": "BRAND_LOGO_URL", "support": "SUPPORT_EMAIL"}
    return {"brand": {name: getattr(settings, setting) for name, setting in names.items()}}


def stylesheet(_: HttpRequest) -> HttpResponse:
    """A stylesheet of its own: the pages' policy forbids inline styles."""
    style = f":root {{ --brand: {settings.BRAND_COLOR}; }}\n"
    return HttpResponse(style, content_type="text/css", headers={"Cache-Control": "max-age=300"})


def admin_theme(name: str, color: str, logo: str) -> dict[str, Any]:
    """The part of the setting UNFOLD that the brand decides."""
    return {
        "SITE_TITLE": name,
        "SITE_HEADER": name,
        "SITE_ICON": logo or None,
        "COLORS": {"primary": shades(color)},
    }


def api_owner(name: str, support: str) -> dict[str, Any]:
    """Title and contact of the OpenAPI document."""
    return {"TITLE": name} | ({"CONTACT": {"name": name, "email": support}} if support else {})


def sender(name: str, support: str) -> str:
    """The default From of mails."""
    return str(Address(name, addr_spec=support or "no-reply@localhost"))


def shades(color: str) -> dict[str, str]:
    lighter = {str(weight): _mixed(color, percent, "white") for weight, percent in _LIGHTER.items()}
    darker = {str(weight): _mixed(color, percent, "black") for weight, percent in _DARKER.items()}
    return lighter | {"500": color, "600": color} | darker


def _mixed(color: str, percent: int, other: str) -> str:
    return f"color-mix(in oklab, {color} {percent}%, {other})"

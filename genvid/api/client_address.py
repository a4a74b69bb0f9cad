"""The trusted client address of a request."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, or `UNKNOWN`.

    Each of our NUM_PROXIES proxies appends its peer to `X-Forwarded-For`; entries further left may be forged. Without
    proxies the header is ignored.
    """
    heard: str = request.META.get("REMOTE_ADDR", "")
    proxies: int = settings.REST_FRAMEWORK["NUM_PROXIES"]
    if proxies:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        heard = hops[-min(proxies, len(hops))] if hops else heard
    return _normal(heard)


def _normal(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)

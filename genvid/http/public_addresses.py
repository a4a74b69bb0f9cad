"""Checks that an address given by a client is public, however it is written."""

import ipaddress
import queue
import re
import socket
import threading
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from genvid.http.http_errors import ForbiddenAddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_LENGTH = 2048
LOOKUP_SECONDS = 5.0
_lookup_slots = threading.BoundedSemaphore(32)

HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
# A host whose last label is a number is an address to URL readers: 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1.
NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
SPECIAL_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa", "onion")

GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# is_global calls these public: Azure's host agent; deprecated 6to4 relays; documentation (RFC 9637); SRv6 (RFC 9602).
EXTRA_PRIVATE = tuple(
    ipaddress.ip_network(net) for net in ("168.63.129.16/32", "192.88.99.0/24", "3fff::/20", "5f00::/16")
)


def check_public_url(url: str) -> None:
    """Raises `ForbiddenAddress` unless `url` is http(s) to a host all of whose addresses are public.

    A name may resolve differently a moment later, so our own requests check the connected address again.
    """
    resolve_public(split_url(url).hostname or "", timeout=LOOKUP_SECONDS)


def resolve_public(host: str, timeout: float) -> Sequence[IPAddress]:
    literal = _read_literal(host)
    if literal is None and any(host == name or host.endswith("." + name) for name in SPECIAL_NAMES):
        raise ForbiddenAddress("the host is not on the public internet")
    addresses = [literal] if literal else resolve(host, timeout)
    if not addresses or not all(is_public(address) for address in addresses):
        raise ForbiddenAddress("the host is not on the public internet")
    return addresses


def resolve_allowing_private(host: str, timeout: float) -> Sequence[IPAddress]:
    """The addresses of `host` where private networks are allowed. Raises `ForbiddenAddress` for link-local ones."""
    literal = _read_literal(host)
    addresses = [literal] if literal else resolve(host, timeout)
    if not addresses or not all(_is_allowed_private(address) for address in addresses):
        raise ForbiddenAddress("the host has an address that no receiver has")
    return addresses


def check_url_allowing_private(url: str) -> None:
    """As `resolve_allowing_private` for a literal address; names are not resolved."""
    literal = _read_literal(split_url(url).hostname or "")
    if literal and not _is_allowed_private(literal):
        raise ForbiddenAddress("the host has an address that no receiver has")


def _is_allowed_private(address: IPAddress) -> bool:
    """False for link-local addresses: cloud providers serve a machine's secrets there."""
    embedded = _embedded_ipv4(address) if isinstance(address, ipaddress.IPv6Address) else None
    plain = embedded or address
    return not (plain.is_link_local or plain.is_multicast or plain.is_unspecified)


def split_url(url: str) -> SplitResult:
    """Raises `ForbiddenAddress` for anything that two parsers could read differently."""
    if len(url) > MAX_URL_LENGTH:
        raise ForbiddenAddress("the address is too long")
    if "\\" in url or any(c.isspace() or not c.isprintable() for c in url):
        raise ForbiddenAddress("the address contains characters that are not allowed")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenAddress("the address is not valid") from error
    if parts.scheme not in ("http", "https"):
        raise ForbiddenAddress("the address must start with http:// or https://")
    if "@" in parts.netloc:
        raise ForbiddenAddress("the address must not contain a user name or password")
    if port is not None and port not in (80, 443) and port < 1024:
        raise ForbiddenAddress("the port is not allowed")
    return parts


def _read_literal(host: str) -> IPAddress | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        _check_name(host)
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise ForbiddenAddress("the host is not on the public internet")
    return address


def _check_name(host: str) -> None:
    if len(host) > 253 or not HOST_NAME.fullmatch(host):
        raise ForbiddenAddress("the host name is not valid; write international names in their xn-- form")
    if NUMBER_LABEL.fullmatch(host.rsplit(".", 1)[-1]):
        raise ForbiddenAddress("the host is not a valid IP address")


def is_public(address: IPAddress) -> bool:
    """Stricter than `is_global`, which counts multicast and site-local addresses as public."""
    if isinstance(address, ipaddress.IPv6Address):
        embedded = _embedded_ipv4(address)
        if embedded is not None:
            return is_public(embedded)
        if address not in GLOBAL_IPV6:
            return False
    if any(address in network for network in EXTRA_PRIVATE):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_private)


def _embedded_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def resolve(host: str, timeout: float = LOOKUP_SECONDS) -> Sequence[IPAddress]:
    """getaddrinfo has no timeout, so it runs in a thread that is abandoned after `timeout` seconds."""
    if not _lookup_slots.acquire(timeout=timeout):
        raise ForbiddenAddress("the host name could not be looked up", temporary=True)
    found: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, found), daemon=True).start()
    try:
        answer = found.get(timeout=timeout)
    except queue.Empty as error:
        raise ForbiddenAddress("the host name could not be looked up in time", temporary=True) from error
    if isinstance(answer, OSError):
        gone = isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_NONAME
        raise ForbiddenAddress("the host name does not exist", temporary=not gone) from answer
    return [ipaddress.ip_address(text.partition("%")[0]) for text in answer]


def _look_up(host: str, found: "queue.SimpleQueue[list[str] | OSError]") -> None:
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        found.put([str(row[4][0]) for row in rows])
    except (OSError, UnicodeError) as error:
        found.put(error if isinstance(error, OSError) else OSError(str(error)))
    finally:
        _lookup_slots.release()

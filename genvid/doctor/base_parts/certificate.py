"""The certificate that the world sees at PUBLIC_URL."""

import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from genvid.doctor.checks import Finding, check, failed, ok, one_line, warning

SECONDS = 8.0
LEAST_DAYS = 14
EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""
RENEW = "Look at what renews it; HeyGen, Stripe and clients call nobody whose certificate has ended."


@check("settings", seconds=15, advice="Look at what serves PUBLIC_URL.", outside=True)
def ask_certificate() -> Iterator[Finding]:
    address = urlsplit(settings.PUBLIC_URL)
    if address.scheme != "https" or not address.hostname:
        return
    yield judge_certificate(address.hostname, address.port or 443)


def judge_certificate(host: str, port: int) -> Finding:
    try:
        days = days_left(host, port)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == EXPIRED:
            return failed(f"the certificate of {host} has ended", RENEW)
        advice = "Meant where an authority of your own signs it; HeyGen and Stripe refuse it."
        return warning(f"the certificate of {host} cannot be verified: {error.verify_message}", advice)
    except OSError as error:
        advice = "Check it from elsewhere: some networks do not let a machine reach its own public address."
        return warning(f"PUBLIC_URL cannot be reached from here: {one_line(error)}", advice)
    found = f"the certificate of {host} is good for {days:.0f} days"
    return failed(found, RENEW) if days < LEAST_DAYS else ok(found)


def days_left(host: str, port: int) -> float:
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert() or {}
    return (ssl.cert_time_to_seconds(str(shown["notAfter"])) - time.time()) / 86400

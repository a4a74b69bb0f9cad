"""The clock of this machine beside those of the database, HeyGen and Stripe."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.db import connection

from genvid import http
from genvid.doctor.checks import Finding, check, failed, ok, one_line, warning

MOST_SECONDS, FEW_SECONDS = 5.0, 2.0
CALL_SECONDS = 8.0
ADVICE = "Let chrony or systemd-timesyncd set the clocks of all machines; signatures and leases depend on them."


@check("clock", seconds=12, advice="It cannot be compared without the database.")
def compare_with_database() -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        yield ok("the database has this machine's clock")
        return
    connection.ensure_connection()
    started = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        theirs = cursor.fetchone()[0]
    yield judge("the database's", (started + time.time()) / 2 - theirs, 0.0)


@check("clock", seconds=25, advice=ADVICE, outside=True)
def compare_with_providers() -> Iterator[Finding]:
    """By the `Date` of answers to requests without a key."""
    addresses = {
        "HeyGen's": settings.HEYGEN_API_KEY and f"{settings.HEYGEN_BASE_URL.rstrip('/')}/v3/users/me",
        "Stripe's": settings.STRIPE_SECRET_KEY and f"{settings.STRIPE_API_HOST}/v1/prices",
    }
    for whose, url in addresses.items():
        if url:
            yield _compare(whose, url)


def _compare(whose: str, url: str) -> Finding:
    started = time.time()
    try:
        answer = http.send("GET", url, timeout=CALL_SECONDS, allow_private=True)
    except http.HttpError as error:
        return warning(f"{whose} clock is unknown: {one_line(error)}", f"Check the way to {url}.")
    ended = time.time()
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date") or "").timestamp()
    except (TypeError, ValueError):
        return ok(f"{whose} answer has no Date")
    # The header has whole seconds, and was written somewhere between sending and receiving.
    return judge(whose, (started + ended) / 2 - (theirs + 0.5), 0.5 + (ended - started) / 2)


def judge(whose: str, ahead: float, uncertain: float) -> Finding:
    found = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} {whose} clock"
    least = abs(ahead) - uncertain
    if least > MOST_SECONDS:
        return failed(found, ADVICE)
    return warning(found, ADVICE) if least > FEW_SECONDS else ok(found)

"""`Prefer: wait=n` (RFC 7240): the client waits for the result."""

import re

MAX_WAIT = 60
MAX_HEADER = 1000
PREFERENCE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|$))+')
WAIT = re.compile(r'\s*wait\s*=\s*("?)(\d+)\1\s*(?:;.*)?', re.IGNORECASE | re.ASCII | re.DOTALL)


def requested_wait(header: str) -> int | None:
    """Seconds, 0 to 60; None without a valid preference."""
    named = [each for each in PREFERENCE.findall(header[:MAX_HEADER]) if _name(each) == "wait"]
    # If a preference is given twice, the first counts (RFC 7240).
    match = WAIT.fullmatch(named[0]) if named else None
    if match is None:
        return None
    digits = match[2].lstrip("0")
    return min(MAX_WAIT, int(digits or "0")) if len(digits) <= 9 else MAX_WAIT


def _name(preference: str) -> str:
    return re.split(r"[=;]", preference, maxsplit=1)[0].strip().lower()

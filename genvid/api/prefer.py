"""`Prefer: wait=n` (RFC 7240): the client would rather wait for the result than ask again."""

import re

MAX_WAIT = 60
MAX_HEADER = 1000
PREFERENCE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|$))+')
WAIT = re.compile(r'\s*wait\s*=\s*("?)(\d+)\1\s*(?:;.*)?', re.IGNORECASE | re.ASCII | re.DOTALL)


def wanted_wait(header: str) -> int | None:
    """Seconds, 0 to 60; None when the client does not ask, or asks in a way that RFC 7240 has us ignore."""
    named = [each for each in PREFERENCE.findall(header[:MAX_HEADER]) if _name(each) == "wait"]
    # Of a preference that is given twice, the first counts.
    match = WAIT.fullmatch(named[0]) if named else None
    if match is None:
        return None
    digits = match[2].lstrip("0")
    return min(MAX_WAIT, int(digits or "0")) if len(digits) <= 9 else MAX_WAIT


def _name(preference: str) -> str:
    return re.split(r"[=;]", preference, maxsplit=1)[0].strip().lower()

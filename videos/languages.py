"""Languages: clients write "English", "en" or "en-US"; HeyGen's voices say "English"."""

import re

from django.conf.locale import LANG_INFO

CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
NAMES = {info["name"].lower() for info in LANG_INFO.values() if "name" in info}


def language_name(given: str) -> str | None:
    """The English name, lower-case, of a language given by name or code; None for what is neither."""
    lower = given.strip().lower()
    if lower in NAMES:
        return lower
    if not CODE.fullmatch(lower):
        return None
    info = LANG_INFO.get(lower) or LANG_INFO.get(lower.partition("-")[0]) or {}
    return info["name"].lower() if "name" in info else None


def voice_speaks(voice_language: str, given: str) -> bool:
    """Whether a voice of `voice_language` can speak `given`. HeyGen also writes "English (US)" and "Multilingual"."""
    spoken, wanted = voice_language.lower(), given.strip().lower()
    name = language_name(given) or wanted
    return "multilingual" in spoken or spoken.startswith(name) or spoken == wanted


def locale_of(given: str) -> str | None:
    """`given` as a locale for HeyGen ("en-US"), when it is one."""
    return given if re.fullmatch(r"[a-z]{2,3}-[A-Z]{2}", given) else None

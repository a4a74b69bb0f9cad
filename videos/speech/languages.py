"""Languages: clients write "English", "en" or "en-US"; HeyGen's voices say "English"."""

import re

from django.conf.locale import LANG_INFO

CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _base_name(code: str) -> str | None:
    plain = LANG_INFO.get(code.partition("-")[0], {})
    variant = LANG_INFO.get(code) or LANG_INFO.get(plain.get("fallback", [""])[0]) or {}
    name = plain.get("name") or variant.get("name", "").rpartition(" ")[2]
    return name.lower() or None


NAMES = {info["name"].lower(): _base_name(code) for code, info in LANG_INFO.items() if "name" in info}


def language_name(given: str) -> str | None:
    """The English name, lower-case and without region, of a language name or code; None for neither."""
    lower = given.strip().lower()
    if lower in NAMES:
        return NAMES[lower]
    return _base_name(lower) if CODE.fullmatch(lower) else None


def voice_speaks(voice_language: str, given: str) -> bool:
    """Whether a voice of `voice_language` can speak `given`. HeyGen also writes "English (US)" and "Multilingual"."""
    spoken, wanted = voice_language.lower(), given.strip().lower()
    name = language_name(given)
    main = spoken.partition("(")[0].strip()
    return "multilingual" in spoken or wanted in (spoken, main) or name in (main, language_name(main))


def locale_of(given: str) -> str | None:
    return given if re.fullmatch(r"[a-z]{2,3}-[A-Z]{2}", given) else None

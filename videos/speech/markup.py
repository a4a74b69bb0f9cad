"""Pause tags in a script, in the forms that people write and the one that HeyGen reads.

HeyGen reads `<break time="1.5s"/>`: seconds, straight quotes, self-closing, a space on either side. Recognisable
variants are converted; every other tag is refused, because a voice would read it aloud.
"""

# ruff: noqa: RUF001 - quotation marks of every kind

from collections.abc import Iterator
from decimal import Decimal

import regex

SHOWN = 80
QUOTES = "[\"'`´“”„‟‘’‚‛«»‹›″′＂＇]"
SPEECH_TAGS = "break|pause|speak|prosody|emphasis|say-as|phoneme"
"""Names that begin a tag even where its end is missing. Shorter names of SSML may be mathematics: `1 <p`."""

_BREAK = regex.compile(r"<\s*(?:break)\b(?P<rest>[^<>]*)>(?:\s*<\s*/\s*break\s*>)?", regex.IGNORECASE)
_ATTRIBUTE = regex.compile(
    rf"\s*(?P<name>[\w:-]+)\s*=\s*(?:{QUOTES}+(?P<quoted>[^<>=]*?){QUOTES}+|(?P<bare>[^\s\"'<>/]+))", regex.IGNORECASE
)
_TIME = regex.compile(
    r"\s*(?P<number>\d{1,9}(?:[.,]\d{1,9})?|[.,]\d{1,9})\s*(?P<unit>ms|s|sec|secs|seconds?)\s*", regex.I
)
_TAG = regex.compile(
    rf"""
      < \s* /? \s* (?:{SPEECH_TAGS}) (?= [\s/>] | $ ) [^<>]* >?   # of speech, whatever follows and even without an end
    | < / [^<>\s] [^<>]* >                                          # any end tag
    | < [?!] [^<>]* >?                                              # a declaration or a comment
    | < [A-Za-z][\w.-]*(?::[A-Za-z][\w.-]*)? (?: \s* /? \s* > | \s+ [\w:.-]+ \s* = [^<>]* > )   # any start tag
    | &lt; \s* /? \s* (?:{SPEECH_TAGS}) \b .*? (?: &gt; | $ )       # escaped, so it would be read aloud
    """,
    regex.VERBOSE | regex.IGNORECASE | regex.MULTILINE,
)


class UnknownTag(Exception):
    """The script has a tag that no voice understands; the message names it."""


def pauses_of(script: str) -> list[Decimal]:
    return [seconds for match in _BREAK.finditer(script) if (seconds := _seconds_of(match["rest"])) is not None]


def without_pauses(script: str) -> str:
    return _BREAK.sub(lambda match: match[0] if _seconds_of(match["rest"]) is None else " ", script)


def on_the_wire(script: str) -> str:
    def written(match: "regex.Match[str]") -> str:
        seconds = _seconds_of(match["rest"])
        if seconds is None:
            return str(match[0])
        before = "" if match.start() == 0 or script[match.start() - 1].isspace() else " "
        after = "" if match.end() == len(script) or script[match.end()].isspace() else " "
        return f'{before}<break time="{seconds.normalize():f}s"/>{after}'

    return str(_BREAK.sub(written, script))


def require_known_tags(script: str) -> None:
    """Raises UnknownTag for the first tag that is no pause. A `<` that begins no tag is text, as in `3 < 5`."""
    for tag in tags_of(script):
        raise UnknownTag(reason_against(tag))


def tags_of(script: str) -> Iterator[str]:
    for match in _TAG.finditer(without_pauses(script)):
        yield match[0]


def _seconds_of(rest: str) -> Decimal | None:
    rest, time = rest.rstrip().removesuffix("/").rstrip(), None
    at = 0
    while at < len(rest):
        attribute = _ATTRIBUTE.match(rest, at)
        if attribute is None:
            return None
        name, value = attribute["name"].lower(), attribute["quoted"] or attribute["bare"] or ""
        if name == "time" and time is None:
            time = _TIME.fullmatch(value)
        elif name != "strength":
            return None
        at = attribute.end()
    if time is None:
        return None
    seconds = Decimal(time["number"].replace(",", ".")) / (1000 if time["unit"].lower() == "ms" else 1)
    return seconds.quantize(Decimal("0.001"))


def reason_against(tag: str) -> str:
    shown = tag if len(tag) <= SHOWN else tag[:SHOWN] + "…"
    if regex.match(r"<\s*/?\s*break\b", tag, regex.IGNORECASE):
        return f'{shown} is no pause: write <break time="1.5s"/>, with its seconds.'
    return f'{shown} is a tag that voices do not understand; only pauses are, as <break time="1.5s"/>.'

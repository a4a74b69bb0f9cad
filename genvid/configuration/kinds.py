"""Kinds of values: each class parses the text of a variable or refuses it."""

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from environ import Env
from limits import RateLimitItem
from limits import parse as parse_rate

OFF = -1
OFF_WORDS = ("false", "off", "n", "no", "0")


class Kind(ABC):
    note: ClassVar[str] = ""

    @property
    def refuses(self) -> bool:
        return True

    @property
    @abstractmethod
    def expected(self) -> str: ...

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The typed value. Raises ValueError for text of another form."""


@dataclass(frozen=True)
class Text(Kind):
    filled: bool = False

    @property
    def refuses(self) -> bool:
        return self.filled

    @property
    def expected(self) -> str:
        return "text that is not empty" if self.filled else "text"

    def parse(self, text: str) -> str:
        if self.filled and not text.strip():
            raise ValueError("empty")
        return text


class Line(Kind):
    expected = "one line of text that is not empty"

    def parse(self, text: str) -> str:
        if not text.strip() or not text.isprintable():
            raise ValueError("empty, or more than a line")
        return text


@dataclass(frozen=True)
class Choice(Kind):
    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"

    def parse(self, text: str) -> str:
        if text not in self.words:
            raise ValueError("not one of the words")
        return text


class Switch(Kind):
    expected = "on or off"

    def parse(self, text: str) -> bool:
        word = text.strip().lower()
        if word not in (*Env.BOOLEAN_TRUE_STRINGS, *OFF_WORDS):
            raise ValueError("neither on nor off")
        return word in Env.BOOLEAN_TRUE_STRINGS


@dataclass(frozen=True)
class Whole(Kind):
    least: int = 0
    most: int | None = None

    @property
    def expected(self) -> str:
        return f"a whole number from {self.least}" + (f" to {self.most}" if self.most is not None else "")

    def parse(self, text: str) -> int:
        number = int(text)
        if number < self.least or (self.most is not None and number > self.most):
            raise ValueError("out of bounds")
        return number


class Bound(Kind):
    expected = "a whole number from 0, or off"

    def parse(self, text: str) -> int:
        if text.strip().lower() == "off":
            return OFF
        number = int(text)
        if number < 0:
            raise ValueError("out of bounds")
        return number


@dataclass(frozen=True)
class Number(Kind):
    above_zero: bool = False

    @property
    def expected(self) -> str:
        return "a number above 0" if self.above_zero else "a number from 0"

    def parse(self, text: str) -> float:
        number = float(text)
        if not math.isfinite(number) or number < 0 or (self.above_zero and number == 0):
            raise ValueError("out of bounds")
        return number


@dataclass(frozen=True)
class Url(Kind):
    optional: bool = False

    @property
    def expected(self) -> str:
        return "an address such as https://host" + (", or nothing" if self.optional else "")

    def parse(self, text: str) -> str:
        if self.optional and not text:
            return text
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("no address")
        _ = parts.port  # raises where it is no number
        return text


@dataclass(frozen=True)
class Words(Kind):
    note = "separated by commas"

    each: Kind = Text()
    filled: bool = False
    noun: str = "words"

    @property
    def refuses(self) -> bool:
        return self.filled or self.each.refuses

    @property
    def expected(self) -> str:
        return f"{self.noun} separated by commas" + (", at least one" if self.filled else "")

    def parse(self, text: str) -> list[str]:
        words: list[str] = Env.parse_value(text, list)
        if self.filled and not words:
            raise ValueError("empty")
        return [self.each.parse(word) for word in words]


class HexColor(Kind):
    expected = "a color such as #4f46e5"

    def parse(self, text: str) -> str:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
            raise ValueError("no color")
        return text


class MailAddress(Kind):
    expected = "a mail address such as support@host, or nothing"

    def parse(self, text: str) -> str:
        try:
            validate_email(text or "nobody@localhost")
        except ValidationError as error:
            raise ValueError("no address") from error
        return text


class Rate(Kind):
    expected = "a rate such as 60/minute or 5/15 minutes"

    def parse(self, text: str) -> RateLimitItem:
        return parse_rate(text)


class Folder(Kind):
    expected = "a path"

    def parse(self, text: str) -> Path:
        if not text:
            raise ValueError("empty")
        return Path(text)


class UrlWord(Kind):
    expected = "letters, digits, -, _, . and ~ alone: it becomes part of a URL"

    def parse(self, text: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._~-]+", text):
            raise ValueError("empty, or it would have to be percent-encoded")
        return text


class DatabaseUrl(Kind):
    expected = (
        "postgres://user:password@host:5432/name or sqlite:////path, with @, #, /, ? and : of a password "
        "percent-encoded (%40, %23, %2F, %3F, %3A)"
    )

    def parse(self, text: str) -> dict[str, Any]:
        parts = urlsplit(text)
        if parts.scheme not in ("sqlite", *Env.POSTGRES_FAMILY):
            raise ValueError("another database")
        # Signs that a password was cut: it ends the host's part of a URL early.
        if parts.scheme != "sqlite" and (parts.fragment or "@" in parts.path):
            raise ValueError("a sign that has to be percent-encoded")
        config: dict[str, Any] = Env.db_url_config(text)
        return config


class RedisUrl(Kind):
    expected = "redis://host:6379/0, or nothing"

    def parse(self, text: str) -> str:
        if text and urlsplit(text).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("another service")
        return text


class EmailUrl(Kind):
    expected = "smtp+tls://user:password@host:587, another scheme that django-environ knows, or nothing"

    def parse(self, text: str) -> dict[str, Any]:
        if not text:
            return {}
        if urlsplit(text).scheme not in Env.EMAIL_SCHEMES:
            raise ValueError("no mail scheme")
        config: dict[str, Any] = Env.email_url_config(text)
        return config

"""JSON bodies, read strictly: UTF-8, at most 1 MiB, no duplicate keys, no NaN, no lone surrogates, bounded objects."""

import io
import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

import orjson
from django.conf import settings
from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousMultipartForm,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.parsers import BaseParser

from genvid.errors import BodyTooLarge, MalformedBody, ValidationFailed

MAX_KEYS = 1000
"""Per object: each unknown key would become a field of a refusal."""


class StrictJSONParser(BaseParser):
    media_type = "application/json"
    max_bytes: int | None = None
    """None: the setting for all views."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return parse_json(read_body(stream, self.max_bytes or settings.API_MAX_BODY_BYTES, parser_context))


class StrictFormParser(BaseParser):
    """multipart/form-data as a plain dictionary of texts and files, each name once."""

    media_type = "multipart/form-data"
    max_bytes: int | None = None

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = read_body(stream, self.max_bytes or settings.API_MAX_BODY_BYTES, parser_context)
        request = (parser_context or {})["request"]._request
        return read_form(request.META, io.BytesIO(body), request.upload_handlers)


def read_form(
    meta: Mapping[str, Any], stream: Any, handlers: list[Any], *, encoding: str = "latin-1"
) -> dict[str, Any]:
    """Texts and files of a form by name, each once. Raises MalformedBody, BodyTooLarge and ValidationFailed."""
    try:
        # With UTF-8 named, it would replace invalid bytes with question marks.
        fields, files = MultiPartParser(dict(meta), stream, handlers, encoding).parse()
        texts = [(name, [value.encode(encoding).decode() for value in values]) for name, values in fields.lists()]
    except RequestDataTooBig:
        raise BodyTooLarge("The texts of the form are too long.") from None
    except (TooManyFieldsSent, TooManyFilesSent):
        raise MalformedBody("The form has more fields or files than any form here.") from None
    except (MultiPartParserError, SuspiciousMultipartForm, UnicodeError, LookupError) as error:
        raise MalformedBody(f"The form cannot be read: {error}") from None
    given = [*texts, *files.lists()]
    names = [name for name, values in given for _ in values]
    twice = {name: "Given more than once." for name in names if names.count(name) > 1}
    if twice:
        raise ValidationFailed(details=twice)
    return {name: values[0] for name, values in given}


def read_body(stream: IO[Any], limit: int, context: Mapping[str, Any] | None = None) -> bytes:
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(f"The body is larger than {limit // 2**20} MiB.")
    announced = str(context["request"].META.get("CONTENT_LENGTH") or "") if context else ""
    # The part of a body before a lost connection may parse, too: an empty one reads as {}.
    if announced.isdecimal() and len(body) < int(announced):
        raise MalformedBody("The body ended before its announced length.")
    return body


def parse_json(body: bytes) -> Any:
    """Two parsers: orjson refuses bad UTF-8, surrogates and NaN, json finds duplicate keys."""
    if not body.strip():
        return {}
    try:
        orjson.loads(body)
        return json.loads(body, object_pairs_hook=_refuse_duplicate_keys, parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedBody("The body is nested too deeply.") from None
    except ValueError as error:
        raise MalformedBody(f"The body is not valid JSON: {error}") from None


def _refuse_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise ValueError(f"an object has more than {MAX_KEYS:,} keys")
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twin)} occurs more than once")
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")

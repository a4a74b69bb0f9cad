"""JSON bodies, read strictly: UTF-8, at most 1 MiB, no duplicate keys, no NaN, no lone surrogates."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

import orjson
from django.conf import settings
from rest_framework.parsers import BaseParser

from genvid.errors import BodyTooLarge, MalformedBody


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.API_MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        return parse_json(body)


def parse_json(body: bytes) -> Any:
    """Two readers, because each sees what the other lets pass: orjson bad UTF-8, surrogates and NaN, json twins."""
    if not body.strip():
        return {}
    try:
        orjson.loads(body)
        return json.loads(body, object_pairs_hook=_without_twins, parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedBody("The body is nested too deeply.") from None
    except ValueError as error:
        raise MalformedBody(f"The body is not valid JSON: {error}") from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twin)} occurs more than once")
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")

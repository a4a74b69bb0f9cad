"""Stripe's request bodies: forms whose keys say where a value belongs, as in `items[0][price]`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from genvid.sandbox.stripe.stripe_errors import StripeError, missing_parameter

Tree = dict[str, Any]
# Whose keys are the caller's own words, so that digits there are names and no positions.
FREE_KEYS = {"metadata"}
KEYS, KEY_LENGTH, VALUE_LENGTH = 50, 40, 500


def decoded(raw: str) -> Tree:
    root: Tree = {}
    for key, value in parse_qsl(raw, keep_blank_values=True):
        _set_value(root, re.findall(r"\[\]|[^\[\]]+", key), value)
    return {name: _with_lists(value, name) for name, value in root.items()}


def _set_value(node: Tree, path: list[str], value: str) -> None:
    for position, step in enumerate(path):
        name = str(len(node)) if step == "[]" else step
        if position == len(path) - 1:
            node[name] = value
            return
        below = node.get(name)
        if not isinstance(below, dict):
            below = node[name] = {}
        node = below


def _with_lists(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return value
    if value and name not in FREE_KEYS and all(key.isdigit() for key in value):
        return [_with_lists(value[key], "") for key in sorted(value, key=int)]
    return {key: _with_lists(below, key) for key, below in value.items()}


class Form:
    """A decoded body, or a part of one, read by kind of value. Errors name the full path of the parameter."""

    def __init__(self, values: Any, path: str = "") -> None:
        self.values: Tree = values if isinstance(values, dict) else {}
        self._path = path

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def name(self, key: str) -> str:
        return f"{self._path}[{key}]" if self._path else key

    def text(self, key: str, default: str | None = None) -> str | None:
        """None for an empty text, which unsets a value."""
        value = self.values.get(key, default)
        if isinstance(value, dict | list):
            raise StripeError("Invalid string: " + str(value), param=self.name(key))
        return value or None

    def need(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise missing_parameter(self.name(key))
        return value

    def number(self, key: str, default: int | None = None) -> int | None:
        value = self.text(key)
        if value is None:
            return default
        if not re.fullmatch(r"-?\d{1,15}", value):
            code = "parameter_invalid_integer"
            raise StripeError(f"Invalid integer: {value}", code=code, param=self.name(key))
        return int(value)

    def need_number(self, key: str) -> int:
        self.need(key)
        return self.number(key) or 0

    def count(self, key: str, default: int = 1, *, least: int = 1) -> int:
        value = self.number(key, default)
        if value is None or value < least:
            bound = f"greater than or equal to {least}"
            raise StripeError(f"Invalid integer: this value must be {bound}.", param=self.name(key))
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.text(key)
        if value not in (None, "true", "false"):
            raise StripeError(f"Invalid boolean: {value}", param=self.name(key))
        return default if value is None else value == "true"

    def part(self, key: str) -> "Form":
        return Form(self.values.get(key), self.name(key))

    def parts(self, key: str) -> list["Form"]:
        value = self.values.get(key)
        found = value if isinstance(value, list) else []
        return [Form(one, f"{self.name(key)}[{number}]") for number, one in enumerate(found)]

    def texts(self, key: str) -> list[str]:
        value = self.values.get(key)
        return [str(one) for one in value] if isinstance(value, list) else []

    def map(self, key: str, before: dict[str, str] | None = None) -> dict[str, str]:
        """The metadata after the update: an empty value removes its key, an empty whole removes all."""
        value = self.values.get(key)
        if value == "":
            return {}
        merged = {**(before or {}), **(value if isinstance(value, dict) else {})}
        found = {name: str(one) for name, one in merged.items() if one != ""}
        self._check_map(key, found)
        return found

    def _check_map(self, key: str, found: dict[str, str]) -> None:
        """The limits of https://docs.stripe.com/metadata."""
        if len(found) > KEYS:
            raise StripeError(f"You can have up to {KEYS} keys.", param=self.name(key))
        for name, value in found.items():
            if len(name) > KEY_LENGTH:
                message = f"Metadata keys can have up to {KEY_LENGTH} characters; you passed in a key with {len(name)}."
                raise StripeError(message, param=self.name(key))
            if len(value) > VALUE_LENGTH:
                message = f"Metadata values can have up to {VALUE_LENGTH} characters; you passed in {len(value)}."
                raise StripeError(message, param=f"{self.name(key)}[{name}]")

    def chosen(self, *keys: str) -> dict[str, str | None]:
        return {key: self.text(key) for key in keys if key in self.values}

"""Declarations of a write operation's parameters: the kind of each value, and whether it is kept.

An undeclared name is refused at any depth, as are a value of another kind and a word that is not listed. A kept value
becomes the field of its name; all others are left to the handler.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from genvid.sandbox.stripe import currencies
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.stripe_errors import StripeError, unknown_parameter

Values = dict[str, Any]


@dataclass(frozen=True)
class Param:
    kind: str
    """One of text, word, flag, number, decimal, currency, map, texts, group, list."""
    words: tuple[str, ...] = ()
    inside: "Mapping[str, Param]" = field(default_factory=dict)
    """The parameters of a group, or of each entry of a list."""
    is_kept: bool = False


Params = Mapping[str, Param]
TEXT, FLAG, NUMBER, DECIMAL, CURRENCY, MAP, TEXTS = (
    Param(kind) for kind in ("text", "flag", "number", "decimal", "currency", "map", "texts")
)


def word(*words: str) -> Param:
    return Param("word", words)


def texts(*words: str) -> Param:
    return Param("texts", words)


def group(**inside: Param) -> Param:
    return Param("group", inside=inside)


def each(**inside: Param) -> Param:
    return Param("list", inside=inside)


def text_fields(names: str) -> dict[str, Param]:
    return dict.fromkeys(names.split(), TEXT)


def kept(**params: Param) -> dict[str, Param]:
    return {name: replace(param, is_kept=True) for name, param in params.items()}


def check(form: Form, declared: Params) -> None:
    """Raises StripeError for undeclared parameters and invalid values."""
    for name in form.values:
        if name not in declared:
            raise unknown_parameter(form.name(name))
        read(form, name, declared[name])


def kept_values(form: Form, declared: Params) -> Values:
    return {name: read(form, name, declared[name]) for name in form.values if declared[name].is_kept}


def read(form: Form, name: str, param: Param) -> Any:
    """The value of a parameter; None for an empty one. In a group each declared parameter has a value."""
    if param.kind == "group":
        return _group(form, name, param)
    if param.kind == "list":
        return [_entries(part, param) for part in _listed(form, name)]
    if param.kind == "texts":
        return _texts(form, name, param)
    value = form.values.get(name)
    if value is None or (value == "" and param.kind != "map"):
        return None
    return READERS[param.kind](form, name, param)


def _group(form: Form, name: str, param: Param) -> Values | None:
    value = form.values.get(name)
    if value == "" or value is None:
        return None
    if not isinstance(value, dict):
        raise StripeError("Invalid object", param=form.name(name))
    return _entries(form.part(name), param)


def _entries(part: Form, param: Param) -> Values:
    check(part, param.inside)
    return {name: read(part, name, one) for name, one in param.inside.items()}


def _listed(form: Form, name: str) -> list[Form]:
    value = form.values.get(name)
    if value not in ("", None) and not (isinstance(value, list) and all(isinstance(one, dict) for one in value)):
        raise StripeError("Invalid array", param=form.name(name))
    return form.parts(name)


def _texts(form: Form, name: str, param: Param) -> list[str]:
    value = form.values.get(name)
    if value not in ("", None) and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise StripeError("Invalid array", param=form.name(name))
    found = form.texts(name)
    for number, one in enumerate(found):
        if param.words and one not in param.words:
            raise _invalid_word(f"{form.name(name)}[{number}]", param)
    return found


def _word(form: Form, name: str, param: Param) -> str:
    value = form.need(name)
    if value not in param.words:
        raise _invalid_word(form.name(name), param)
    return value


def _invalid_word(name: str, param: Param) -> StripeError:
    return StripeError(f"Invalid {name}: must be one of {', '.join(param.words)}", param=name)


def _decimal(form: Form, name: str, param: Param) -> float:
    value = form.need(name)
    if not value.removeprefix("-").replace(".", "", 1).isdecimal():
        raise StripeError(f"Invalid decimal: {value}", code="parameter_invalid_decimal", param=form.name(name))
    return float(value)


READERS: dict[str, Callable[[Form, str, Param], Any]] = {
    "text": lambda form, name, param: form.text(name),
    "word": _word,
    "flag": lambda form, name, param: form.flag(name),
    "number": lambda form, name, param: form.number(name),
    "decimal": _decimal,
    "currency": lambda form, name, param: currencies.checked(form.need(name), form.name(name)),
    "map": lambda form, name, param: form.map(name),
}

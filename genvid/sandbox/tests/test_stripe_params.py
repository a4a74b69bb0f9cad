"""Sends every declared parameter of every write operation: it is kept as a field or takes effect."""

from typing import Any

import pytest

from genvid.sandbox.stripe.parameters import Param
from genvid.sandbox.stripe.request_handling import PARAMETERS
from genvid.sandbox.stripe.stripe_routes import OPERATIONS
from genvid.sandbox.tests.stripe_effects import EFFECTS
from genvid.sandbox.tests.stripe_merchant import Merchant
from genvid.sandbox.tests.stripe_samples import SAMPLES, Key
from genvid.sandbox.tests.stripe_subjects import SUBJECTS, Form, flat

WRITES = [operation.name for operation in OPERATIONS if operation.method in ("POST", "DELETE")]
PLAIN: dict[str, Any] = {
    "flag": True,
    "number": 7,
    "decimal": 2.5,
    "currency": "usd",
    "map": {"color": "blue"},
    "texts": ["one", "two"],
}


def sample(name: str, param: Param) -> Any:
    """A value that is nobody's default; of words, the last."""
    if param.kind == "group":
        return {inner: sample(inner, one) for inner, one in param.inside.items()}
    if param.kind == "list":
        return [{inner: sample(inner, one) for inner, one in param.inside.items()}]
    if param.kind == "texts" and param.words:
        return list(param.words)
    if param.kind == "word":
        return param.words[-1]
    return PLAIN.get(param.kind, f"some {name}")


def _filled(merchant: Merchant, key: Key, base: Form, value: Any) -> Form:
    """The required parameters and the value; None removes a parameter that excludes it."""
    if key not in SAMPLES:
        return {**base, key[1]: value}
    found = {key[1]: value, **base, **SAMPLES[key](merchant)}
    return {name: one for name, one in found.items() if one is not None}


def call(merchant: Merchant, operation: str, path: str, form: Form) -> Any:
    given = flat(form)
    is_post = operation.startswith("POST")
    return merchant.http.post(path, data=given) if is_post else merchant.http.request("DELETE", path, params=given)


def comes_back(sent: Any, shown: Any) -> bool:
    """Everything that was sent is shown; more may be."""
    if isinstance(sent, dict):
        return isinstance(shown, dict) and all(comes_back(value, shown.get(name)) for name, value in sent.items())
    if isinstance(sent, list):
        return isinstance(shown, list) and len(sent) == len(shown) and all(map(comes_back, sent, shown))
    return bool(sent == shown)


def test_every_write_operation_declares_what_it_takes() -> None:
    assert sorted(WRITES) == sorted(PARAMETERS) == sorted(SUBJECTS)


def test_the_exceptions_are_of_declared_parameters() -> None:
    named = {(operation, name) for operation, taken in PARAMETERS.items() for name in taken}

    assert (set(SAMPLES) | set(EFFECTS)) - named == set()


@pytest.mark.parametrize("operation", [name for name in WRITES if PARAMETERS[name]])
def test_every_declared_parameter_is_kept_or_takes_effect(operation: str, merchant: Merchant) -> None:
    lost: dict[str, Any] = {}
    for name, param in PARAMETERS[operation].items():
        path, base = SUBJECTS[operation](merchant)
        form = _filled(merchant, (operation, name), base, sample(name, param))
        answer = call(merchant, operation, path, form)
        effect = EFFECTS.get((operation, name))
        found = answer.json()
        kept = effect(merchant, form, found) if effect else comes_back(form[name], found.get(name))
        if not kept:
            lost[name] = (form[name], found.get(name, found.get("error")))

    assert lost == {}


@pytest.mark.parametrize("operation", WRITES)
def test_an_unknown_parameter_is_refused(operation: str, merchant: Merchant) -> None:
    path, base = SUBJECTS[operation](merchant)
    before = merchant.types()

    answer = call(merchant, operation, path, {**base, "colour": "red"})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "parameter_unknown", "colour")
    assert merchant.types() == before


GROUPS = [
    (operation, name)
    for operation, taken in PARAMETERS.items()
    for name, param in taken.items()
    if param.kind in ("group", "list")
]


@pytest.mark.parametrize(("operation", "name"), GROUPS)
def test_an_unknown_parameter_deep_inside_is_refused(operation: str, name: str, merchant: Merchant) -> None:
    is_list = PARAMETERS[operation][name].kind == "list"
    path, base = SUBJECTS[operation](merchant)

    answer = call(merchant, operation, path, {**base, name: [{"colour": "red"}] if is_list else {"colour": "red"}})

    error = answer.json()["error"]
    param = f"{name}[0][colour]" if is_list else f"{name}[colour]"
    assert (answer.status_code, error["code"], error["param"]) == (400, "parameter_unknown", param)


WORDS = [
    (operation, name)
    for operation, taken in PARAMETERS.items()
    for name, param in taken.items()
    if param.kind in ("word", "currency") or (param.kind == "texts" and param.words)
]


@pytest.mark.parametrize(("operation", "name"), WORDS)
def test_a_word_that_is_not_declared_is_refused(operation: str, name: str, merchant: Merchant) -> None:
    wanted: Any = ["zzz"] if PARAMETERS[operation][name].kind == "texts" else "zzz"
    path, base = SUBJECTS[operation](merchant)
    before = merchant.types()

    answer = call(merchant, operation, path, {**base, name: wanted})

    assert (answer.status_code, answer.json()["error"]["param"].partition("[")[0]) == (400, name)
    assert merchant.types() == before

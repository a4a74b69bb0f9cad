"""Checks requests and answers against HeyGen's OpenAPI schema. A violation names its field by a dotted path."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SCHEMA = Path(__file__).parent / "schema" / "heygen-v3.schema.json"
BASE = "urn:heygen-v3"
# Newer than the schema file, and accepted by the real API on these arms.
LATE_FIELDS = {
    "CreateVideoFromAvatar": ("folder_id", "brand_glossary_id"),
    "CreateVideoFromImage": ("folder_id", "brand_glossary_id"),
}


@dataclass(frozen=True)
class Violation:
    param: str
    message: str


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text())
    for name, schema in loaded["components"]["schemas"].items():
        _close_arm(name, schema)
    return loaded


def _close_arm(name: str, schema: dict[str, Any]) -> None:
    properties = schema.get("properties", {})
    if any("const" in one or name.endswith("EngineSettings") for one in properties.values()):
        properties.update({field: {"type": ["string", "null"]} for field in LATE_FIELDS.get(name, ())})
        schema["additionalProperties"] = False


@cache
def _registry() -> Registry[Any]:
    resource: Resource[Any] = Resource.from_contents(document(), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource(BASE, resource)
    return registry


def _one_of(validator: Any, choices: list[Any], instance: Any, schema: dict[str, Any]) -> Iterator[ValidationError]:
    """Follows the discriminator, so that the error is about the arm that was meant."""
    discriminator = schema.get("discriminator")
    if discriminator is None or not isinstance(instance, dict):
        yield from Draft202012Validator.VALIDATORS["oneOf"](validator, choices, instance, schema)
        return
    name = discriminator["propertyName"]
    reference = discriminator["mapping"].get(instance.get(name))
    if reference is None:
        allowed = ", ".join(discriminator["mapping"])
        yield ValidationError(f"{name} must be one of {allowed}", path=[name])
        return
    yield from validator.descend(instance, {"$ref": f"{BASE}{reference}"})


def _any_of(validator: Any, choices: list[Any], instance: Any, schema: dict[str, Any]) -> Iterator[ValidationError]:
    """Every anyOf of this schema is a nullable union: its first choice is the one to explain."""
    if instance is not None:
        yield from validator.descend(instance, choices[0], schema_path=0)


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"oneOf": _one_of, "anyOf": _any_of}
)


@cache
def _validator(pointer: str) -> Any:
    return _Validator({"$ref": BASE + pointer}, registry=_registry())


def first_violation(pointer: str, instance: Any) -> Violation | None:
    errors = sorted(_validator(pointer).iter_errors(instance), key=lambda error: len(error.absolute_path))
    return _explain(errors[0]) if errors else None


def _explain(error: ValidationError) -> Violation:
    value: Any = error.validator_value
    instance, schema = cast("Any", error.instance), cast("Any", error.schema)
    path = [str(step) for step in error.absolute_path]
    if error.validator == "required":
        missing = next(name for name in value if name not in instance)
        return Violation(".".join([*path, missing]), f"{missing} is required")
    if error.validator == "additionalProperties":
        extra = next(name for name in instance if name not in schema["properties"])
        return Violation(".".join([*path, extra]), f"{extra} is not accepted here")
    return Violation(".".join(path), error.message)


def pointer_to(path: str, method: str, *rest: str) -> str:
    steps = ["paths", path, method.lower(), *rest]
    return "#/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)


def operation(path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["paths"][path][method.lower()]
    return found


def body_violation(path: str, method: str, body: Any) -> Violation | None:
    pointer = pointer_to(path, method, "requestBody", "content", "application/json", "schema")
    return first_violation(pointer, body)


def answer_violation(path: str, method: str, status: int, body: Any) -> Violation | None:
    responses = operation(path, method)["responses"]
    if str(status) not in responses:
        return first_violation("#/components/schemas/StandardAPIError", body)
    pointer = pointer_to(path, method, "responses", str(status), "content", "application/json", "schema")
    return first_violation(pointer, body)


def takes_json(path: str, method: str) -> bool:
    return "application/json" in operation(path, method).get("requestBody", {}).get("content", {})


def body_is_required(path: str, method: str) -> bool:
    return bool(operation(path, method).get("requestBody", {}).get("required"))


def read_query(path: str, method: str, given: dict[str, str]) -> dict[str, Any] | Violation:
    """The query with its types and defaults. Unknown parameters are ignored, as at HeyGen."""
    found: dict[str, Any] = {}
    for parameter in operation(path, method).get("parameters", []):
        if parameter.get("in") != "query":
            continue
        value = _query_value(parameter, given.get(parameter["name"]))
        if isinstance(value, Violation):
            return value
        found[parameter["name"]] = value
    return found


def _query_value(parameter: dict[str, Any], raw: str | None) -> Any:
    name, schema = parameter["name"], parameter["schema"]
    if raw is None:
        return Violation(name, f"{name} is required") if parameter.get("required") else schema.get("default")
    value: Any = int(raw) if schema["type"] == "integer" and raw.lstrip("-").isdecimal() else raw
    if "maximum" in schema and not (isinstance(value, int) and schema["minimum"] <= value <= schema["maximum"]):
        return Violation(name, f"{name} must be between {schema['minimum']} and {schema['maximum']}")
    if not _Validator(schema).is_valid(value):
        return Violation(name, f"{value!r} is not a valid {name}")
    return value

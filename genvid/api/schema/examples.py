"""Examples of requests and answers, put together from the real values of `values.py` by schema and field name."""

from typing import Any

from genvid.api.schema.values import ABSENT, MEDIA, OPERATIONS, VALUES

UNKNOWN = "?"
"""Stands for a text that `values.py` does not know; a test finds it."""
FORMATS = {
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "date-time": "2026-05-01T12:00:00Z",
    "date": "2026-05-01",
    "email": "ada@example.com",
}
PLAIN: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "null": None, "string": UNKNOWN}


class Examples:
    """Of one document's schemas."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas

    def of(self, schema: dict[str, Any], owner: str = "", name: str = "") -> Any:
        """A value that fits `schema`, which is the field `name` of the schema `owner`."""
        for key in (f"{owner}.{name}", name):
            if key in VALUES:
                return VALUES[key]
        if "$ref" in schema:
            owner = schema["$ref"].rpartition("/")[2]
            return self.of(self.schemas[owner], owner)
        for choice in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
            return self.of(choice, owner, name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        return self._built(schema, owner, name)

    def _built(self, schema: dict[str, Any], owner: str, name: str) -> Any:
        kind = schema.get("type", "object")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "array":
            return [self.of(schema.get("items", {}), owner, f"{name}[]")]
        if kind == "object":
            fields = schema.get("properties", {})
            left_out = ABSENT.get(owner, ())
            return {each: self.of(fields[each], owner, each) for each in fields if each not in left_out}
        return FORMATS.get(schema.get("format", "")) or PLAIN[kind]

    def illustrate(self, operation: dict[str, Any]) -> None:
        """Give every parameter, body and answer of an operation its example."""
        for parameter in operation.get("parameters", ()):
            self._fill(parameter, self.of(parameter["schema"], operation["operationId"], parameter["name"]))
        told = OPERATIONS.get(operation["operationId"], {})
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            self._show(kind, content, told.get("request", {}))
        for answer in operation["responses"].values():
            for kind, content in answer.get("content", {}).items():
                self._show(kind, content, told.get("data", {}))

    def _fill(self, parameter: dict[str, Any], value: Any) -> None:
        """Pages that try a call out send every example: of what may be left out, words tell it instead."""
        if parameter.get("required") or parameter["name"] == "limit":
            parameter.setdefault("example", value)
        elif isinstance(value, str) and "enum" not in parameter["schema"]:
            told = parameter.get("description", "")
            parameter["description"] = f"{told} For example `{value}`.".strip()

    def _show(self, kind: str, content: dict[str, Any], changes: dict[str, Any]) -> None:
        if kind in MEDIA:
            content["example"] = MEDIA[kind]
        elif content["schema"].get("format") != "binary":
            example = self.of(content["schema"])
            target = example["data"] if set(example) == {"success", "data", "meta"} else example
            if isinstance(target, dict):
                target |= changes
            content["example"] = example

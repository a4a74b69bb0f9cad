"""Examples of parameters, requests and answers, built from the `examples` of their fields."""

from typing import Any

from genvid.api.serializers import EXAMPLE_TIME

UNKNOWN = "?"
FORMATS = {
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "date-time": EXAMPLE_TIME,
    "date": "2026-05-01",
    "binary": "me.jpg",
}
PLAIN: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "string": UNKNOWN}


class Examples:
    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas

    def of(self, schema: dict[str, Any]) -> Any:
        if "examples" in schema:
            return schema["examples"][0]
        if "$ref" in schema:
            return self.of(self.schemas[schema["$ref"].rpartition("/")[2]])
        choices = next((schema[each] for each in ("oneOf", "anyOf", "allOf") if each in schema), None)
        if choices:
            return self._of_choice(choices)
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type", "object")
        if "null" in kind:
            return None
        return schema["enum"][0] if "enum" in schema else self._built(schema, kind)

    def _of_choice(self, choices: list[dict[str, Any]]) -> Any:
        found, *others = [self.of(each) for each in choices]
        return None if None in others and not isinstance(found, dict) else found

    def _built(self, schema: dict[str, Any], kind: str) -> Any:
        if kind == "array":
            return [self.of(schema.get("items", {}))]
        if kind == "object":
            fields, required = schema.get("properties", {}), schema.get("required", ())
            shown = [name for name in fields if name in required or "examples" in fields[name]]
            return {name: self.of(fields[name]) for name in shown}
        return FORMATS.get(schema.get("format", "")) or PLAIN[kind]

    def illustrate(self, operation: dict[str, Any]) -> None:
        for parameter in operation.get("parameters", ()):
            self._fill(parameter)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            self._show(content, {})
        changes = operation.pop("x-example", {})
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                self._show(content, changes)

    def _fill(self, parameter: dict[str, Any]) -> None:
        """Interactive pages send every example, so an optional text parameter gets a description instead."""
        example = self.of(parameter["schema"])
        is_told = parameter["schema"].pop("examples", None) is not None
        if parameter.get("required") or (is_told and not isinstance(example, str)):
            parameter["example"] = example
        elif is_told:
            parameter["description"] = f"{parameter.get('description', '')} For example `{example}`.".strip()

    def _show(self, content: dict[str, Any], changes: dict[str, Any]) -> None:
        if "examples" in content or content["schema"].get("format") == "binary":
            return
        example = self.of(content["schema"])
        if changes:
            example["data"] |= changes
        content["example"] = example

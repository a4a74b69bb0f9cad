"""Post-processing of the generated document: names, shared parts, examples, links, webhooks."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from genvid.api.schema import envelope, refusals
from genvid.api.schema.examples import Examples
from genvid.api.schema.headers import HEADERS
from genvid.api.schema.outgoing_webhooks import webhooks

METHODS = ("get", "post", "put", "patch", "delete")
RENAMED = {"ErrorOutput": "VideoError", "EndpointOutput": "WebhookEndpoint", "NewEndpointOutput": "NewWebhookEndpoint"}


def complete(result: dict[str, Any], request: Any = None, **_: Any) -> dict[str, Any]:
    components = result["components"]
    components["schemas"] |= envelope.SCHEMAS | {refusals.ERROR_CODE: refusals.error_code_schema()}
    rename(result)
    operations = list(operations_of(result))
    refusals.share(result, operations)
    components["headers"] = HEADERS
    examples = Examples(components["schemas"])
    for operation in operations:
        examples.illustrate(operation)
    link(result)
    result["servers"] = [{"url": settings.PUBLIC_URL if request else "/"}]
    result["webhooks"] = webhooks(examples)
    return result


def operations_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method in METHODS)


def rename(document: dict[str, Any]) -> None:
    """Clients see `Video` instead of our class name `VideoOutput`."""
    schemas = document["components"]["schemas"]
    names = {name: _public_name(name) for name in schemas}
    document["components"]["schemas"] = {names[name]: schemas[name] for name in sorted(schemas, key=names.__getitem__)}
    if len(document["components"]["schemas"]) != len(schemas):
        raise ValueError("two schemas would have one name")
    _rename_references(
        document, {f"#/components/schemas/{old}": f"#/components/schemas/{new}" for old, new in names.items()}
    )


def _public_name(name: str) -> str:
    plain = name.removesuffix("Request") if name.endswith(("InputRequest", "ChangeRequest")) else name
    return RENAMED.get(plain) or plain.removesuffix("Output")


def _rename_references(node: Any, targets: dict[str, str]) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            node["$ref"] = targets.get(node["$ref"], node["$ref"])
        for each in node.values():
            _rename_references(each, targets)
    elif isinstance(node, list):
        for each in node:
            _rename_references(each, targets)


def link(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        made = [methods.get("post", {}).get("responses", {}).get(status) for status in ("201", "202")]
        collection = path.partition("/{")[0]
        targets = [
            operation["operationId"]
            for below, others in document["paths"].items()
            if below.startswith(f"{collection}/{{id}}")
            for method, operation in others.items()
            if method in METHODS
        ]
        for answer in filter(None, made):
            if targets and "id" in _data_of(document, answer):
                answer["links"] = {each: _link(each) for each in targets}


def _data_of(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    schema = answer["content"]["application/json"]["schema"]["properties"]["data"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    fields: dict[str, Any] = schema.get("properties", {})
    return fields


def _link(operation_id: str) -> dict[str, Any]:
    return {"operationId": operation_id, "parameters": {"id": "$response.body#/data/id"}}

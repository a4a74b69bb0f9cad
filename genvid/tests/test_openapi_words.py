"""The texts of the OpenAPI document come from actions and fields."""

import copy
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from genvid.api import serializers as api
from genvid.api.endpoints import Endpoint
from genvid.api.schema import EnvelopeAutoSchema
from genvid.api.schema.examples import UNKNOWN, Examples
from genvid.api.viewsets import ListMixin, StrictViewSet
from genvid.tests.contract import document


class ThingViewSet(ListMixin, StrictViewSet):
    tag = "Things"
    endpoints = {
        "list": Endpoint("list_things", "List the things", scope=None, description="All of them."),
        "create": Endpoint("create_thing", scope=None),
        "destroy": Endpoint("delete_thing", scope=None),
    }

    def create(self, request: Request) -> Response:
        """Make a thing.

        It is made at once, and
        it stays.

        - One point, which goes on in
          a second line.
        - Another.
        """
        return Response()

    def destroy(self, request: Request) -> Response:
        """Remove a thing."""
        return Response(status=204)


def words_of(action: str) -> tuple[str, str]:
    schema: Any = EnvelopeAutoSchema()
    schema.view = ThingViewSet(action=action)
    return schema.get_summary(), schema.get_description()


def test_the_docstring_of_an_action_is_its_summary_and_description():
    description = "It is made at once, and it stays.\n\n- One point, which goes on in a second line.\n- Another."
    assert words_of("create") == ("Make a thing", description)


def test_an_action_with_one_line_of_docstring_has_no_description():
    assert words_of("destroy") == ("Remove a thing", "")


def test_an_action_of_a_mixin_is_described_by_its_declaration():
    assert words_of("list") == ("List the things", "All of them.")


@pytest.mark.parametrize(
    ("response", "status"), [(None, 204), (api.OutputSerializer, 200)], ids=["without a body", "with a body"]
)
def test_an_answer_without_a_declared_status_is_200_or_204(response, status):
    assert list(Endpoint("get_thing", scope=None, response=response).responses) == [status]


# ── Fields


class PriceField(api.NumberField):
    description = "In cents."
    example = 1200


def meta_of(field: Any) -> dict[str, Any]:
    found: dict[str, Any] = EnvelopeAutoSchema()._get_serializer_field_meta(field, "response")
    return found


def test_a_field_brings_its_example_and_its_description():
    field = api.TextField(help_text="Who it is.", example="Ada")
    assert meta_of(field) == {"description": "Who it is.", "examples": ["Ada"]}


def test_a_class_of_fields_describes_those_that_say_nothing_of_their_own():
    assert meta_of(PriceField()) == {"description": "In cents.", "examples": [1200]}
    assert meta_of(PriceField(help_text="Each.", example=5)) == {"description": "Each.", "examples": [5]}


def test_a_field_of_drf_has_no_example():
    assert meta_of(serializers.CharField()) == {}


def test_a_schema_is_not_described_by_the_docstring_of_a_base_class():
    schemas = document()["components"]["schemas"]
    told = {schema.get("description", "") for schema in schemas.values()}
    assert told & {api.StrictSerializer.__doc__, api.OutputSerializer.__doc__} == set()
    assert schemas["Warning"]["description"] == "Something that the client should know, though nothing forbids it."


def test_a_copy_of_a_field_is_as_it_and_has_a_child_of_its_own():
    field = api.StrictListField(child=api.StrictCharField(max_length=3), most=2, example=["a"])
    copied: Any = copy.deepcopy(field)
    assert (copied.most, copied.example, copied.child.max_length) == (2, ["a"], 3)
    assert copied.child is not field.child


# ── Examples


TEXT = {"type": "string", "examples": ["Ada"]}
NULLABLE = {"type": ["string", "null"]}
THING = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        (TEXT, "Ada"),
        ({"type": "string"}, UNKNOWN),
        ({"type": "string", "format": "date"}, "2026-05-01"),
        ({"type": "integer"}, 1),
        (NULLABLE, None),
        (NULLABLE | {"examples": ["Ada"]}, "Ada"),
        ({"type": "array", "items": TEXT}, ["Ada"]),
        ({"enum": ["a", "b"], "type": "string"}, "a"),
        ({"const": True}, True),
        ({"$ref": "#/components/schemas/Thing"}, {"name": "Ada"}),
        ({"oneOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]}, {"name": "Ada"}),
        ({"oneOf": [{"$ref": "#/components/schemas/Kind"}, {"type": "null"}]}, None),
        ({"allOf": [{"$ref": "#/components/schemas/Kind"}]}, "old"),
        ({"type": "object", "properties": {"a": TEXT, "b": {"type": "integer"}}}, {"a": "Ada"}),
    ],
)
def test_an_example_is_that_of_the_schema_or_a_typical_value(schema, example):
    assert Examples({"Thing": THING, "Kind": {"type": "string", "enum": ["old", "new"]}}).of(schema) == example


def test_what_an_endpoint_says_of_its_example_replaces_fields_of_the_usual_one():
    content = {
        "schema": {"type": "object", "properties": {"data": THING | {"required": ["name"]}}, "required": ["data"]}
    }
    operation: dict[str, Any] = {"responses": {"200": {"content": {"application/json": content}}}}
    Examples({}).illustrate(operation | {"x-example": {"name": "Grace"}})
    assert content["example"] == {"data": {"name": "Grace"}}


# ── Answers


class PersonOutput(api.OutputSerializer):
    id = api.IdField("person")
    name = api.TextField()


class Person:
    id, name, secret = 7, "Ada", "x"


def test_an_answer_has_the_declared_fields_of_a_row_as_computed_where_they_are():
    assert PersonOutput.of(Person()) == {"id": 7, "name": "Ada"}
    assert PersonOutput.of(Person(), name="Grace") == {"id": 7, "name": "Grace"}


class AgedOutput(PersonOutput):
    number = api.NumberField(source="id")
    age = api.shown(api.NumberField(), lambda person, year: year - person.born)


class Born(Person):
    born = 1815


def test_an_answer_has_what_a_field_shows_of_the_row_and_its_context_and_the_attribute_of_its_source():
    assert AgedOutput.of(Born(), 1852) == {"id": 7, "name": "Ada", "number": 7, "age": 37}


def test_an_answer_without_a_row_is_null_where_nothing_is_computed():
    assert PersonOutput.of(None, name="Grace") == {"id": None, "name": "Grace"}

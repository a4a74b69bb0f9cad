"""One migration operation for many tables, forwards and backwards."""

import pytest
from django.db import connection, models
from django.db.migrations.operations import AddField, CreateModel
from django.db.migrations.state import ProjectState

from genvid.create_tables import CreateTables

pytestmark = pytest.mark.django_db
KEY = ("id", models.AutoField(primary_key=True))
HEN = CreateModel("Hen", [KEY])
EGG = CreateModel("Egg", [KEY, ("hen", models.ForeignKey("hatchery.Hen", models.CASCADE))])
FIRST = AddField("Hen", "egg", models.ForeignKey("hatchery.Egg", models.CASCADE, null=True))


def tables() -> dict[str, set[str]]:
    names = [name for name in connection.introspection.table_names() if name.startswith("hatchery")]
    with connection.cursor() as cursor:
        return {name: {c.name for c in connection.introspection.get_table_description(cursor, name)} for name in names}


def test_tables_that_know_each_other_are_created_whole_and_removed_again():
    step, before, after = CreateTables([HEN, EGG, FIRST]), ProjectState(), ProjectState()
    step.state_forwards("hatchery", after)

    with connection.schema_editor() as editor:
        step.database_forwards("hatchery", editor, before, after)
    assert tables() == {"hatchery_hen": {"id", "egg_id"}, "hatchery_egg": {"id", "hen_id"}}

    with connection.schema_editor() as editor:
        step.database_backwards("hatchery", editor, after, before)
    assert tables() == {}


def test_models_that_were_rendered_before_are_rendered_with_the_new_ones():
    state = ProjectState()
    HEN.state_forwards("hatchery", state)
    assert [model.__name__ for model in state.apps.get_models()] == ["Hen"]

    CreateTables([EGG, FIRST]).state_forwards("hatchery", state)

    hen, egg = state.apps.get_model("hatchery", "hen"), state.apps.get_model("hatchery", "egg")
    assert (hen._meta.get_field("egg").related_model, egg._meta.get_field("hen").related_model) == (egg, hen)

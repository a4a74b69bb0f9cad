"""Our one migration of dj-stripe's tables has the result of dj-stripe's own."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState
from pytest_django import Settings

from genvid import settings as written

OURS = ("djstripe", "0001_squashed_2_11")


def tables(loader: MigrationLoader) -> dict[str, Any]:
    """Each table's fields and options after dj-stripe's migrations, as comparable text."""
    leaves = [leaf for leaf in loader.graph.leaf_nodes() if leaf[0] == "djstripe"]
    models = loader.project_state(leaves).models
    return {name: words(model) for (app, name), model in models.items() if app == "djstripe"}


def words(model: ModelState) -> tuple[dict[str, Any], dict[str, Any], Any]:
    fields = {name: field.deconstruct()[1:] for name, field in model.fields.items()}
    # Which classes were abstract is written down or not, depending on how the migration came about.
    options = {name: value for name, value in model.options.items() if name != "abstract"}
    return fields, options, model.bases


@pytest.fixture
def ours(settings: Settings) -> MigrationLoader:
    """The tests themselves run without migrations."""
    settings.MIGRATION_MODULES = written.MIGRATION_MODULES
    return MigrationLoader(None)


def test_our_migration_replaces_all_of_dj_stripes(ours):
    folder = Path(find_spec("djstripe").submodule_search_locations[0]) / "migrations"
    theirs = sorted(file.stem for file in folder.glob("[0-9]*.py"))
    assert ours.get_migration(*OURS).replaces == [("djstripe", name) for name in theirs]


def test_our_migration_makes_the_tables_of_dj_stripe(ours, settings):
    settings.MIGRATION_MODULES = {}
    theirs = tables(MigrationLoader(None))
    assert len(theirs) == 59
    assert tables(ours) == theirs

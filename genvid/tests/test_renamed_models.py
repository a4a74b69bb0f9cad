"""Models whose class was renamed: the table keeps its name, and staff keep their permissions."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from billing.models import StripeSync
from videos.models import RenderTime

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("model", "table"), [(StripeSync, "billing_nudge"), (RenderTime, "videos_renderpace")])
def test_a_renamed_model_keeps_its_table(model, table):
    assert model._meta.db_table == table
    assert table in connection.introspection.table_names()


@pytest.mark.parametrize(
    ("app", "migration", "old", "new"),
    [
        ("billing", "0009_rename_nudge", "nudge", "stripesync"),
        ("videos", "0008_rename_render_pace", "renderpace", "rendertime"),
    ],
)
def test_staff_who_might_see_the_former_model_may_see_the_renamed_one(app, migration, old, new):
    former, _ = ContentType.objects.get_or_create(app_label=app, model=old)
    seeing = Permission.objects.create(content_type=former, codename=f"view_{old}", name=f"Can view {old}")
    group = Group.objects.create(name="support")
    group.permissions.add(seeing)
    *_, copy = import_module(f"{app}.migrations.{migration}").Migration.operations
    with connection.schema_editor() as editor:
        copy.code(apps, editor)
    held = sorted(group.permissions.values_list("codename", flat=True))
    assert held == sorted([f"view_{old}", f"view_{new}"])

"""The index of titles' parts: used by the admin's search, and left out where pg_trgm cannot be had."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import NotSupportedError, connection, transaction
from django.db.migrations.state import ProjectState
from structlog.testing import capture_logs

from genvid.tests.factories import make_video
from genvid.tests.generated_rows import analyze, copy_row
from genvid.tests.query_plans import plan_of
from genvid.trigram_index import AddTrigramIndex, index_exists
from videos.admin import video_search
from videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)
TABLE, NAME = "videos_video", video_search.TITLE_INDEX
INDEX = AddTrigramIndex(TABLE, "title", NAME)


def change(step: str) -> None:
    with connection.schema_editor(atomic=False) as editor:
        getattr(INDEX, f"database_{step}")("videos", editor, ProjectState(), ProjectState())


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(autouse=True)
def gone_afterwards() -> Iterator[None]:
    yield
    change("backwards")
    execute("DROP EXTENSION IF EXISTS pg_trgm")


@contextmanager
def role(*, creates: bool) -> Iterator[None]:
    """No superuser; one that `creates` may do what the owner of a database may."""
    granted = "GRANT CREATE ON DATABASE {} TO plain".format(connection.settings_dict["NAME"]) if creates else "SELECT 1"
    execute("CREATE ROLE plain", granted, "SET ROLE plain")
    try:
        yield
    finally:
        execute("RESET ROLE", "DROP OWNED BY plain CASCADE", "DROP ROLE plain")


def test_parts_of_titles_are_found_by_the_index(owner):
    video = make_video(owner, "completed", title="Spring sale of tulips")
    copy_row(
        video, 20_000, id="gen_random_uuid()", title="md5(n::text)", idempotency_key="NULL", provider_video_id="NULL"
    )
    change("forwards")
    analyze(Video)
    assert index_exists(NAME)
    # No index of Django's own has a GIN index's name; the plan must name this one.
    plan = plan_of(lambda: list(video_search.search_videos(Video.objects.all(), "F TULIP")), TABLE)
    assert NAME in plan.indexes
    assert list(video_search.search_videos(Video.objects.all(), "f TULIP")) == [video]


def test_the_index_is_made_again_after_a_failed_attempt(owner):
    for _ in range(2):
        change("forwards")
    assert index_exists(NAME)
    change("backwards")
    assert not index_exists(NAME)


def test_the_extension_needs_no_superuser():
    with role(creates=True):
        execute("CREATE EXTENSION pg_trgm")


def test_without_the_right_to_the_extension_the_migration_goes_on_without_the_index():
    with role(creates=False), capture_logs() as logs:
        change("forwards")
    assert [each["event"] for each in logs if each["log_level"] == "warning"] == ["trigram_index_not_made"]
    assert not index_exists(NAME)


def test_an_atomic_migration_is_refused():
    with (
        transaction.atomic(),
        connection.schema_editor(atomic=False) as editor,
        pytest.raises(NotSupportedError, match="atomic = False"),
    ):
        INDEX.database_forwards("videos", editor, ProjectState(), ProjectState())

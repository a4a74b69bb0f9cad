import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from genvid.sandbox.store import Store

TO_THE_RELEASE_BEFORE = """
PRAGMA journal_mode=WAL;
ALTER TABLE videos RENAME COLUMN directives TO magic;
ALTER TABLE batches ADD COLUMN kind TEXT NOT NULL DEFAULT 'videos';
UPDATE settings SET name = 'knobs' WHERE name = 'settings';
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the data of the release before, as a killed sandbox leaves it."""
    store = Store(tmp_path)
    store.set("settings", {"stuck": True})
    video = {"id": "v", "status": "pending", "stage": "todo", "product": "avatar", "job": "{}", "base": ""}
    store.add("videos", **video, directives='{"stuck": true}', created_at=0)
    store.close()
    (tmp_path / "sandbox.sqlite3").rename(tmp_path / "books.sqlite3")
    with closing(sqlite3.connect(tmp_path / "books.sqlite3")) as database:
        database.executescript(TO_THE_RELEASE_BEFORE)
    return tmp_path


def test_the_data_of_the_release_before_is_taken_over(folder: Path) -> None:
    store = Store(folder)

    assert store.setting("settings") == {"stuck": True}
    assert store.value("SELECT directives FROM videos WHERE id = 'v'") == '{"stuck": true}'
    store.add("batches", id="b", created_at=0)
    assert not (folder / "books.sqlite3").exists()
    store.close()


def test_taking_over_can_be_interrupted_before_the_file_is_renamed(folder: Path) -> None:
    Store(folder).close()
    (folder / "sandbox.sqlite3").rename(folder / "books.sqlite3")

    store = Store(folder)

    assert store.setting("settings") == {"stuck": True}
    store.close()


def test_a_store_of_an_earlier_release_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "sandbox.sqlite3")) as database:
        for table in ("looks", "voices"):
            database.execute(f"ALTER TABLE {table} DROP COLUMN failure")
    store = Store(tmp_path)
    assert store.rows("SELECT failure FROM looks UNION SELECT failure FROM voices") == []
    store.close()

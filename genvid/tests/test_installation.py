"""scripts/installation.py: the folder of `make run`."""

import pytest

from genvid.tests.scripts import load_script

installation = load_script("installation")


def values_of(path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if not line.startswith("#"))


def test_new_secrets_say_that_the_installation_is_embedded(tmp_path):
    installation.write_secrets(tmp_path / ".env")
    assert values_of(tmp_path / ".env")["GENVID_EMBEDDED"] == "1"
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_secrets_are_written_once(tmp_path):
    installation.write_secrets(tmp_path / ".env")
    before = (tmp_path / ".env").read_text()
    installation.write_secrets(tmp_path / ".env")
    assert (tmp_path / ".env").read_text() == before


def test_the_secrets_of_an_earlier_version_learn_that_they_are_embedded_and_stay(tmp_path):
    (tmp_path / ".env").write_text("# Made by `make run`.\nSECRET_KEY=a=b")
    installation.write_secrets(tmp_path / ".env")
    assert values_of(tmp_path / ".env") == {"SECRET_KEY": "a=b", "GENVID_EMBEDDED": "1"}
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_a_mode_set_by_the_owner_stays(tmp_path):
    (tmp_path / ".env").write_text("SECRET_KEY=a\nGENVID_EMBEDDED=0\n")
    installation.write_secrets(tmp_path / ".env")
    assert values_of(tmp_path / ".env") == {"SECRET_KEY": "a", "GENVID_EMBEDDED": "0"}


def test_no_draft_of_the_secrets_is_left(tmp_path):
    installation.write_secrets(tmp_path / ".env")
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_a_folder_is_for_one_run_at_a_time(tmp_path):
    with installation.lock_installation(tmp_path), pytest.raises(installation.CannotStart, match="already running on"):
        installation.lock_installation(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENVID_VAR", str(tmp_path / "file" / "var"))
    with pytest.raises(installation.CannotStart, match=f"{tmp_path}/file/var cannot be used: Not a directory"):
        installation.read_environment()

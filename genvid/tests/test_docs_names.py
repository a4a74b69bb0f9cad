"""Every module, function and file that the pages for contributors name exists."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PAGES = ("docs/architecture.md", "docs/glossary.md", "docs/releases.md", "CONTRIBUTING.md", "SECURITY.md")
APPS = ("accounts", "avatars", "billing", "videos")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
DOTTED = re.compile(rf"(?:genvid|{'|'.join(APPS)})(?:\.\w+)+")
FILE = re.compile(r"[\w.<>-][\w./<>-]*(?:/|\.(?:py|md|txt|toml|lock|yaml|sh))|\.[a-z-]+")
MADE = re.compile(r"\.env|\.venv|var/.*")
"""Files that a clone does not have yet."""


def names_on(text: str) -> set[str]:
    """Code spans that look like a module, an attribute of one, a file or a folder."""
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    named = {span for span in spans if DOTTED.fullmatch(span) or FILE.fullmatch(span)}
    return {name for name in named if not MADE.fullmatch(name)}


def is_attribute(name: str) -> bool:
    """Whether a prefix of the name is a module that has the rest as attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:length]))
            for part in parts[length:]:
                found = getattr(found, part)
        except (ModuleNotFoundError, AttributeError):
            continue
        return True
    return False


def exists(name: str) -> bool:
    """`<app>` stands for each of the four apps."""
    if DOTTED.fullmatch(name) and not (ROOT / name).exists():
        return is_attribute(name)
    return all((ROOT / name.replace("<app>", app)).exists() for app in APPS)


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_a_page_names_exists(page: str) -> None:
    assert sorted(name for name in names_on((ROOT / page).read_text()) if not exists(name)) == []


@pytest.mark.parametrize(
    "name",
    [
        "videos.lifecycle.video_actions.create_video",
        "videos.models.Video.move",
        "genvid.heygen",
        "billing/stripe/",
        "<app>/jobs.py",
        ".importlinter",
    ],
)
def test_a_name_of_the_code_is_found_on_a_page_and_in_the_code(name: str) -> None:
    assert names_on(f"See `{name}`.") == {name}
    assert exists(name)


@pytest.mark.parametrize(
    "name",
    [
        "videos.lifecycle.video_actions.creat",
        "videos.models.Video.moved",
        "genvid.heygem",
        "billing/gateways/",
        "<app>/gateway.py",
        ".importlinters",
    ],
)
def test_a_name_that_the_code_lacks_is_found_on_a_page_and_not_in_the_code(name: str) -> None:
    assert names_on(f"See `{name}`.") == {name}
    assert not exists(name)


def test_the_map_names_a_module_of_every_app_and_layer() -> None:
    named = {name.replace("/", ".") for name in names_on((ROOT / "docs" / "architecture.md").read_text())}
    for start in ("accounts.", "avatars.", "billing.credits", "billing.stripe", "genvid.api", "videos.pipeline"):
        assert [name for name in named if name.startswith(start)] != [], start

"""The project speaks the field's language: words of its own that readers had to learn are gone, and stay gone."""

import io
import keyword
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = ["doorman", "storey", "knot", "nudge", "errand", "deed", "lever", "knock", "wish"]
"""In no text: neither code nor comments nor documents."""
NO_NAMES = ["letter", "letters", "places", "news", "room", "rooms", "standing", "door", "doors"]
"""Plain English too, but no names of modules, classes, functions, variables."""
EXCEPTIONS = {
    "billing_nudge": "the table of billing.StripeSync, whose rows outlive its first name",
    "nudge_due": "an index of that table",
    "nudge_one_a_thing": "a constraint of that table",
    "_TIE_KNOT": "the knot of a tie that the sandbox draws",
    "Letter": "the model of mails about money that the previous release wrote; it goes with the next release",
    "decimal_places": "Django's name of an option",
    "letter": "one of an alphabet",
    "letters": "those of an alphabet",
    "letters_by_script": "those of an alphabet",
    "VIETNAMESE_LETTER": "one of an alphabet",
    "ascii_letters": "Python's name of them",
}
HISTORY = re.compile(
    r"(^|/)migrations/|^CHANGELOG\.md$|^docs/adr/.*replaced|^docs/releases\.md$|test_(renamed_models|migration_safety)\.py$"
)
"""Tells of earlier names, or is of an earlier time."""
HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
TEXTS = {
    ".py",
    ".md",
    ".toml",
    ".ini",
    ".cfg",
    ".yml",
    ".yaml",
    ".sh",
    ".html",
    ".js",
    ".css",
    ".txt",
    ".importlinter",
    "",
}


@cache
def tracked() -> tuple[str, ...]:
    """The files of the project; what git ignores and what moved away is none."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    ).stdout.split("\0")
    found = [name for name in listed if name and (ROOT / name).is_file()]
    if not (ROOT / ".git").exists():
        pytest.skip("an export without its git history: the names are tested in a checkout")
    assert found != []
    return tuple(
        name for name in found if not HISTORY.search(name) and name != Path(__file__).relative_to(ROOT).as_posix()
    )


def words_of(name: str) -> list[str]:
    return [hump.lower() for hump in HUMPS.findall(name)]


def without_exceptions(text: str) -> str:
    for name in EXCEPTIONS:
        text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", "", text)
    return text


def identifiers(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield token.start[0], token.string


def test_no_text_has_a_private_word() -> None:
    found = []
    private = re.compile(rf"^({'|'.join(NOWHERE)})(s|es|d|ed|ing)?$")
    for name in tracked():
        if Path(name).suffix not in TEXTS:
            continue
        for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), 1):
            found += [f"{name}:{number}: {word}" for word in words_of(without_exceptions(line)) if private.match(word)]
    assert found == []


def test_no_name_in_the_code_is_a_private_word() -> None:
    found = []
    for name in tracked():
        if not name.endswith(".py"):
            continue
        found += [
            f"{name}:{number}: {identifier}"
            for number, identifier in identifiers(ROOT / name)
            if identifier not in EXCEPTIONS and set(words_of(identifier)) & set(NO_NAMES)
        ]
    assert found == []


def test_no_file_has_a_private_name() -> None:
    private = {*NOWHERE, *NO_NAMES}
    assert [name for name in tracked() if set(words_of(name)) & private] == []


def test_every_exception_is_still_needed() -> None:
    everything = "\n".join((ROOT / name).read_text(errors="replace") for name in tracked() if name.endswith(".py"))
    assert [name for name in EXCEPTIONS if not re.search(rf"\b{re.escape(name)}\b", everything)] == []


CONVENTIONAL = {
    "__init__.py",
    "__main__.py",
    "admin.py",
    "apps.py",
    "conftest.py",
    "enums.py",
    "jobs.py",
    "models.py",
} | {"querysets.py", "receivers.py", "serializers.py", "settings.py", "tasks.py", "urls.py", "views.py"}


def test_no_file_name_stands_more_than_four_times() -> None:
    names = [Path(name).name for name in tracked() if name.endswith(".py")]
    assert {name: names.count(name) for name in set(names) - CONVENTIONAL if names.count(name) > 4} == {}


def test_every_module_says_in_its_first_line_what_it_is() -> None:
    silent = [
        name
        for name in tracked()
        if name.endswith(".py")
        and "/tests/" not in name
        and (ROOT / name).read_text().strip()
        and not (ROOT / name).read_text().lstrip().startswith(('"""', "#!"))
    ]
    assert silent == []

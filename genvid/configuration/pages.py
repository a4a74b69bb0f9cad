"""Generates docs/configuration.md and .env.example from the declarations."""

from collections.abc import Callable
from pathlib import Path

from environ import Env

from genvid.configuration.declared import GROUPS
from genvid.configuration.kinds import OFF_WORDS
from genvid.configuration.setting import SETTINGS_FILE, Group, Setting

ROOT = Path(__file__).resolve().parents[2]

_ON = ", ".join(f"`{word}`" for word in Env.BOOLEAN_TRUE_STRINGS)
_OFF = ", ".join(f"`{word}`" for word in OFF_WORDS)

INTRODUCTION = f"""\
# Configuration

Every setting, made from its declaration in `genvid/configuration/declared/` by `make configuration`; a test keeps this
page current. `make run` needs none of them; [.env.example](../.env.example) is a file to start from in production.

- A setting is an environment variable. What the environment does not have comes from `.env` beside manage.py, and then
  from `$GENVID_VAR/.env`, which `make run` writes once.
- A value that is missing or malformed ends each process (web, worker, `manage.py`) at its start, with exit code 1 and
  one line that names the setting and says what to write. That is "refused" below. A secret's value is never shown.
- Combinations that lose money, videos or secrets have a system check, named by its id: `manage.py check --deploy`.
- A *secret* that `{SETTINGS_FILE}` reads may stand in a file instead: `SECRET_KEY_FILE=/run/secrets/key`. The file goes
  before the variable, and a newline at its end does not count.
- On is {_ON}; off is {_OFF}. Lists are separated by commas, without blanks.
- A value that begins with `$` stands for the variable of that name.
- "`make run`" and "tests" beside a default say which one holds there.
"""

EXAMPLE_HEAD = """\
# Copy to .env for production (docs/production.md). `make run` needs none of it: it makes its own secrets once, in
# $GENVID_VAR/.env. A line that starts with "# NAME=" shows the default, or an example where there is none.
# docs/configuration.md says what a wrong value does. Both are made by `make configuration`.
"""


def configuration_page() -> str:
    return "\n".join([INTRODUCTION, *map(_section, GROUPS)])


def env_example() -> str:
    return "\n".join([EXAMPLE_HEAD, *map(_block, GROUPS)]).rstrip("\n") + "\n"


PAGES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "configuration.md": configuration_page,
    ROOT / ".env.example": env_example,
}


def _section(group: Group) -> str:
    head = ["| setting | default | value | meaning | when it is wrong |", "|---|---|---|---|---|"]
    return "\n".join([f"## {group.title}", "", *head, *map(_row, group.settings), ""])


def _row(setting: Setting) -> str:
    cells = [f"`{setting.name}`", _default(setting), _value(setting), _meaning(setting), _wrong(setting)]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(setting: Setting) -> str:
    if setting.is_required:
        return "none: required"
    others = {"`make run`": setting.embedded, "tests": setting.testing}
    told = [f"{where}: {_literal(value)}" for where, value in others.items() if value is not None]
    return "; ".join([setting.computed or _literal(setting.default or ""), *told])


def _literal(value: str) -> str:
    return f"`{value}`" if value else "nothing"


def _value(setting: Setting) -> str:
    words = [setting.kind.expected, setting.unit, "secret" if setting.secret else ""]
    return "; ".join(word for word in words if word)


def _meaning(setting: Setting) -> str:
    return setting.meaning + (f" Read by {setting.read_by}." if setting.read_by != SETTINGS_FILE else "")


def _wrong(setting: Setting) -> str:
    refused = setting.read_by == SETTINGS_FILE and setting.kind.refuses
    ids = ", ".join(f"`{check}`" for check in setting.checks)
    return " ".join(filter(None, ["Malformed: refused." if refused else "", setting.wrong, f"({ids})" if ids else ""]))


def _block(group: Group) -> str:
    lines = [line for setting in group.settings if not setting.internal for line in _lines(setting)]
    return "\n".join([f"# ── {group.title}", *lines, ""]) if lines else ""


def _lines(setting: Setting) -> list[str]:
    note = setting.kind.note or _unit(setting)
    told = f"# {setting.meaning.rstrip('.')}" + (f" ({note})" if note else "")
    if setting.fill_in is not None:
        return [told, f"{setting.name}={setting.fill_in}"]
    shown = setting.default if setting.example is None else setting.example
    return [told, f"# {setting.name}={shown}"]


def _unit(setting: Setting) -> str:
    is_told = setting.unit.removesuffix("s") in setting.meaning.lower()
    return "" if is_told else setting.unit

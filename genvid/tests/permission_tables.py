"""The two tables of docs/teams.md, as the code has them.

`manage.py shell -c "from genvid.tests.permission_tables import write; write()"` brings the page up to date.
"""

import re
from pathlib import Path

from accounts.enums import KEY_SCOPES, Role, Scope
from accounts.permissions import ROLES
from genvid.tests.router import operations

PAGE = Path(__file__).resolve().parents[2] / "docs" / "teams.md"


def roles_by_scope() -> str:
    rows = []
    for scope in Scope:
        held = [*(role in ROLES[scope] for role in Role), scope in KEY_SCOPES]
        rows.append([f"`{scope.value}`", *("✓" if each else "" for each in held)])
    return _table(["scope", *(f"`{role.value}`" for role in Role), "API key"], rows)


def scopes_by_endpoint() -> str:
    rows = []
    for each in operations():
        scope = "everybody" if each.is_open else f"`{each.endpoint.scope}`"
        rows.append([f"`{each}`", scope])
    return _table(["call", "scope"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def tables() -> dict[str, str]:
    return {"roles": roles_by_scope(), "endpoints": scopes_by_endpoint()}


def written(name: str) -> str:
    """The table between the two marks of that name."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", PAGE.read_text(), re.DOTALL)
    assert found, f"docs/teams.md has no table {name}"
    return found[1]


def write() -> None:
    page = PAGE.read_text()
    for name, table in tables().items():
        page = page.replace(f"<!-- {name} -->\n{written(name)}\n", f"<!-- {name} -->\n{table}\n")
    PAGE.write_text(page)

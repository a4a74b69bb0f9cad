"""What starting Django loads, and what it leaves behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
import gc, json, sys
{start}
unused = ("anyio", "httpx", "jinja2", "markdown_it", "pygments", "rich")
print(json.dumps({{
    "loaded": [name for name in unused if name in sys.modules],
    "collects": gc.isenabled(),
    "has_frozen": gc.get_freeze_count() > 100_000,
    "importable": __import__("httpx").__name__,
}}))
"""


def state_after(start: str, tmp_path: Path) -> dict[str, object]:
    environment = os.environ | {"GENVID_VAR": str(tmp_path), "DATABASE_URL": "postgres://nobody@127.0.0.1/none"}
    environment |= {"DJANGO_SETTINGS_MODULE": "genvid.settings", "LOG_FORMAT": "json"}
    ran = subprocess.run(
        [sys.executable, "-c", LOOK.format(start=start)], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    found: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return found


ENTRY_POINTS = ["import genvid.wsgi, genvid.urls", "import genvid.asgi, genvid.urls"]


@pytest.mark.parametrize("start", ENTRY_POINTS)
def test_web_process_loads_no_development_tools_and_collects_garbage_again(start, tmp_path):
    assert state_after(start, tmp_path) == {
        "loaded": [],
        "collects": True,
        "has_frozen": True,
        "importable": "httpx",
    }


COMMAND = """
import manage
sys.argv = ["manage.py", "check", "--help"]
try:
    manage.run()
except SystemExit:
    pass
"""


def test_command_line_loads_no_development_tools_and_collects_garbage_again(tmp_path):
    state = state_after(COMMAND, tmp_path)
    assert (state["loaded"], state["collects"]) == ([], True)

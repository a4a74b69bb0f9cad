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
print(json.dumps({{
    "loads_markdown": "markdown_it" in sys.modules,
    "collects": gc.isenabled(),
    "has_frozen": gc.get_freeze_count() > 100_000,
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
def test_a_web_process_sets_its_heap_aside_and_collects_garbage_again(start, tmp_path):
    assert state_after(start, tmp_path) == {
        "loads_markdown": False,
        "collects": True,
        "has_frozen": True,
    }


COMMAND = """
import manage
sys.argv = ["manage.py", "check", "--help"]
try:
    manage.run()
except SystemExit:
    pass
"""


def test_the_command_line_collects_garbage_again(tmp_path):
    state = state_after(COMMAND, tmp_path)
    assert (state["loads_markdown"], state["collects"]) == (False, True)

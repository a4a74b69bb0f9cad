"""Which lines and branches of the five packages the tests run, in every process that starts with GENVID_COVERAGE.

slipcover puts its probes into our own modules when they are imported. coverage.py, on Python 3.11, has the interpreter
report every line of every library, which made a full run take half as long again. Each process writes a part of what
it saw into the folder that GENVID_COVERAGE names; `python branches.py FLOOR` adds them up.
"""

import atexit
import json
import os
import signal
import sys
import uuid
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import slipcover

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = [str(ROOT / name) for name in ("genvid", "accounts", "avatars", "videos", "billing")]
OMITTED = ["*/tests/*", "*/migrations/*", "*/djstripe_migrations/*", "*/genvid/sandbox/*"]
NO_BRANCH = [r"if TYPE_CHECKING:", r"\.\.\.$", r"@overload"]
NEVER_TAKEN_OUT = 2**31 - 1
"""How often a probe may be hit before it is removed: taking probes out changes code that other threads run."""


def new_probes(**more: Any) -> slipcover.Slipcover:
    return slipcover.Slipcover(
        branch=True, d_miss_threshold=NEVER_TAKEN_OUT, omit=OMITTED, exclude_also=NO_BRANCH, **more
    )


def measure() -> None:
    """From now on, until this process ends: by itself, by SIGTERM, or by `os._exit` after a fork."""
    probes = new_probes()
    slipcover.ImportManager(probes, slipcover.FileMatcher(PACKAGES, OMITTED)).__enter__()
    leave = os._exit

    def leave_with_a_part(code: int) -> NoReturn:
        write_part(probes)
        leave(code)

    def end(number: int, frame: FrameType | None) -> None:
        write_part(probes)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    os._exit = leave_with_a_part
    atexit.register(write_part, probes)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, end)


def write_part(probes: slipcover.Slipcover) -> None:
    if not probes.code_lines:
        return  # none of our modules was imported
    folder = Path(os.environ["GENVID_COVERAGE"])
    if not folder.is_dir():
        return  # the run is over, or is another machine's
    # Names are told from the present folder, which may be gone; nothing needs it any more.
    os.chdir(ROOT)
    draft = folder / f"{uuid.uuid4().hex}.draft"
    draft.write_text(json.dumps(probes.get_coverage()))
    draft.rename(draft.with_suffix(".json"))


def add_up(folder: Path) -> dict[str, Any]:
    """The parts, and whatever no process has imported."""
    whole: dict[str, Any] = new_probes(source=PACKAGES).get_coverage()
    for part in sorted(folder.glob("*.json")):
        slipcover.merge_coverage(whole, json.loads(part.read_text()))
    return whole


def main(parts: Path, floor: float) -> int:
    """Report into the folder above `parts`; 1 below the floor."""
    whole, reports = add_up(parts), parts.parent
    total = whole["summary"]["percent_covered"]
    with (reports / "coverage.xml").open("w") as file:
        slipcover.print_xml(whole, source_paths=[str(ROOT)], with_branches=True, outfile=file)
    with (reports / "missing.txt").open("w") as file:
        slipcover.print_coverage(whole, outfile=file, skip_covered=True, missing_width=200)
    told = f"{total:.1f} % of lines and branches outside the sandbox, floor {floor:g} %"
    sys.stdout.write(f"coverage: {told} ({reports / 'missing.txt'})\n")
    return int(total < floor)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))

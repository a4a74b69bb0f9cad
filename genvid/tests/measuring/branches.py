"""Which lines and branches of the five packages the tests run, in every process that starts with GENVID_COVERAGE.

slipcover puts its probes into our own modules when they are imported. coverage.py, on Python 3.11, has the interpreter
report every line of every library, which made a full run take half as long again. Each process writes a part, what it
saw, into the folder that GENVID_COVERAGE names; `branches.py PARTS FLOOR` adds the parts up.
"""

import ast
import atexit
import hashlib
import json
import marshal
import os
import signal
import sys
import uuid
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, NoReturn

import slipcover
import slipcover.branch
import slipcover.importer
from slipcover.slipcover import add_summaries

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = [str(ROOT / name) for name in ("genvid", "accounts", "avatars", "videos", "billing")]
OMITTED = ["*/tests/*", "*/migrations/*", "*/djstripe_migrations/*", "*/genvid/sandbox/*"]
NOT_COUNTED = [r"if TYPE_CHECKING:", r"\.\.\.$", r"@overload"]
NEVER_TAKEN_OUT = 2**31 - 1
"""How often a probe may be hit before it is removed: taking probes out changes code that other threads run."""


class Loader(slipcover.importer.SlipcoverLoader):
    """Modules with their branches marked are kept beside the parts: to make one takes longer than to import it."""

    def exec_module(self, module: ModuleType) -> None:
        exec(self.sci.instrument(marked(self.origin)), module.__dict__)  # noqa: S102 - what a loader does


def marked(source: Path) -> CodeType:
    """The module's code, in which slipcover finds branches."""
    version = f"{source} {source.stat().st_mtime_ns}"
    kept = Path(os.environ["GENVID_COVERAGE"], "..", "marked", hashlib.sha256(version.encode()).hexdigest())
    if kept.exists():
        return marshal.loads(kept.read_bytes())  # type: ignore[no-any-return]  # noqa: S302 - our own
    tree = slipcover.branch.preinstrument(ast.parse(source.read_bytes()))
    code = compile(tree, str(source), "exec")
    _write(kept, marshal.dumps(code))
    return code


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all."""
    file.parent.mkdir(exist_ok=True)
    draft = file.with_name(f"{uuid.uuid4().hex}.draft")
    draft.write_bytes(content)
    draft.rename(file)


def measure() -> None:
    """From now on, until this process ends: by itself, by SIGTERM, or by `os._exit` after a fork."""
    if not Path(os.environ["GENVID_COVERAGE"]).is_dir():
        return  # the run is over
    probes = slipcover.Slipcover(branch=True, d_miss_threshold=NEVER_TAKEN_OUT, exclude_lines=[])
    slipcover.importer.SlipcoverLoader = Loader  # type: ignore[misc]
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
    """By file: the lines that ran, and the branches that were taken."""
    folder = Path(os.environ["GENVID_COVERAGE"])
    if not probes.code_lines or not folder.is_dir():
        return  # none of our modules was imported, or the run is over
    # Names are told from the present folder, which may be gone; nothing needs it any more.
    os.chdir(ROOT)
    files = probes.get_coverage()["files"]
    seen = {name: [of["executed_lines"], of["executed_branches"]] for name, of in files.items()}
    _write(folder / f"{uuid.uuid4().hex}.json", json.dumps(seen).encode())


def add_up(parts: Path) -> dict[str, Any]:
    """Everything that counts, imported or not, as slipcover reports it."""
    nothing = slipcover.Slipcover(branch=True, source=PACKAGES, omit=OMITTED, exclude_also=NOT_COUNTED)
    whole: dict[str, Any] = nothing.get_coverage()
    for part in sorted(parts.glob("*.json")):
        for name, (lines, branches) in json.loads(part.read_text()).items():
            if file := whole["files"].get(name):  # a test may have made a module and taken it away
                _count(file, "lines", set(lines))
                _count(file, "branches", set(map(tuple, branches)))
    add_summaries(whole)
    return whole


def _count(file: dict[str, Any], kind: str, seen: set[Any]) -> None:
    missing = file[f"missing_{kind}"]
    file[f"executed_{kind}"] = sorted([*file[f"executed_{kind}"], *(each for each in missing if each in seen)])
    file[f"missing_{kind}"] = [each for each in missing if each not in seen]


def main(parts: Path, floor: float) -> int:
    """Report into the folder above `parts`; 1 below the floor."""
    whole, reports = add_up(parts), parts.parent
    total = whole["summary"]["percent_covered"]
    with (reports / "coverage.xml").open("w") as file:
        slipcover.print_xml(whole, source_paths=[str(ROOT)], with_branches=True, outfile=file)
    with (reports / "missing.txt").open("w") as file:
        slipcover.print_coverage(whole, outfile=file, skip_covered=True, missing_width=200)
    told = f"{total:.2f} % of lines and branches outside the sandbox, floor {floor:g} %"
    sys.stdout.write(f"coverage: {told} ({reports / 'missing.txt'})\n")
    return int(total < floor)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))

"""The main function of the render process. It ends with its parent."""

import json
import os
import sys
import threading
import time
from typing import Any

NICENESS = 10


def main(parent: int) -> None:
    os.nice(NICENESS)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not end up among the answers
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    from genvid.sandbox.render_worker.render_tasks import perform  # noqa: PLC0415 - starting costs nothing until there is work

    return perform(task)


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""`python -m videos.tests.chaos`: SEED, VIDEOS, ACCOUNTS, CHAOS_WORKERS, PATIENCE and KEEP from the environment."""

import os
import signal
import sys

from videos.tests.chaos.plan import Plan
from videos.tests.chaos.stage import Stage


def main() -> int:
    # Ending by an exception lets every `with` put its processes away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("chaos: terminated"))
    plan = Plan.from_environment()
    print(f"chaos: SEED={plan.seed} VIDEOS={plan.videos} ACCOUNTS={plan.accounts}", flush=True)  # noqa: T201
    stage = Stage(plan)
    kept = True
    try:
        with stage:
            from videos.tests.chaos.play import play  # noqa: PLC0415 - models are loaded only now

            broken = play(stage)
        kept = broken or "KEEP" in os.environ
        return int(broken)
    finally:
        if kept:
            print(f"chaos: the logs are in {stage.keep_logs()}", flush=True)  # noqa: T201
        stage.clear_away()


if __name__ == "__main__":
    sys.exit(main())

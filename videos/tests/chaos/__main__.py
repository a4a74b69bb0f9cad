"""`python -m videos.tests.chaos`: SEED, VIDEOS, ACCOUNTS, CHAOS_WORKERS, PATIENCE and KEEP from the environment."""

import os
import signal
import sys

from genvid.tests.deployment import Deployment
from genvid.tests.site import ROOT
from videos.tests.chaos.plan import FAST_SETTINGS, POSTGRES_FLAGS, SLOTS_AT_SANDBOX, Plan


def main() -> int:
    # An exception lets every `with` stop its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("chaos: terminated"))
    plan = Plan.from_environment()
    print(f"chaos: SEED={plan.seed} VIDEOS={plan.videos} ACCOUNTS={plan.accounts}", flush=True)  # noqa: T201
    deployment = Deployment(FAST_SETTINGS, postgres_flags=POSTGRES_FLAGS, concurrency=SLOTS_AT_SANDBOX)
    logs = ROOT / "var" / "chaos" / str(plan.seed)
    kept = True
    try:
        with deployment:
            from videos.tests.chaos.run import run  # noqa: PLC0415 - models are loaded only now

            broken = run(plan, deployment)
        kept = broken or "KEEP" in os.environ
        return int(broken)
    finally:
        if kept:
            deployment.keep_logs(logs)
            print(f"chaos: the logs are in {logs}", flush=True)  # noqa: T201
        deployment.remove_folder()


if __name__ == "__main__":
    sys.exit(main())

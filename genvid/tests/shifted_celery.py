"""`python -m genvid.tests.shifted_celery …` is `celery …` on a machine whose clock is wrong by SHIFTED_SECONDS."""

import os
import sys
import time

import time_machine
from celery.__main__ import main

ahead = float(os.environ["SHIFTED_SECONDS"])
clock = time_machine.travel(time.time(), tick=True).start()
# Travelling takes a moment, by which the clock would be behind.
clock.shift(ahead + time_machine.escape_hatch.time.time() - time.time())
sys.exit(main())

"""The settings of genvid with counters."""

from genvid.settings import *  # noqa: F403
from genvid.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "bench.counting.CountingConfig"]

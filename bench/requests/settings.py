"""The production settings of genvid, with the reference designs mounted beside the API."""

from datetime import timedelta

from genvid.settings import *  # noqa: F403
from genvid.settings import SIMPLE_JWT as _SIMPLE_JWT

ROOT_URLCONF = "bench.requests.urls"
# 15 minutes are too short on a busy machine.
SIMPLE_JWT = _SIMPLE_JWT | {"ACCESS_TOKEN_LIFETIME": timedelta(days=1)}

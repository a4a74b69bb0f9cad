"""The parts that need no app: importing a module registers its checks."""

from genvid.doctor.base_parts import (  # noqa: F401
    bucket_rules,
    certificate,
    clock,
    configuration,
    database,
    disk,
    liveness,
    redis,
    storage,
)

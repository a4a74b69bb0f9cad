"""hypothesis with this project's settings. Tests import its names from here, so that only those who use it load it.

The examples are the same in every run, so that no run fails by luck; FUZZ_EXAMPLES=500 draws so many new ones.
"""

import os

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

__all__ = [
    "FUZZ_EXAMPLES",
    "Bundle",
    "HealthCheck",
    "Phase",
    "RuleBasedStateMachine",
    "assume",
    "consumes",
    "given",
    "initialize",
    "invariant",
    "multiple",
    "precondition",
    "rule",
    "run_state_machine_as_test",
    "settings",
    "st",
]

FUZZ_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))

settings.register_profile(
    "genvid",
    settings(),
    # An example that takes long says something about the machine, and nothing about the property.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not FUZZ_EXAMPLES,
    database=None,
    max_examples=FUZZ_EXAMPLES or 100,
)
settings.load_profile("genvid")

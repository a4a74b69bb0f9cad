"""Sequences of generated requests that use the rows made before: create, read, cancel, delete, read again."""

from typing import Any, ClassVar

import pytest
import schemathesis
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from genvid.tests.fuzz.generated_requests import CHECKS, FLOWS, STEPS, KnownRows, api, settings

pytestmark = pytest.mark.django_db


class Flow(api.as_state_machine()):  # type: ignore[misc]
    known_rows: ClassVar[KnownRows]

    def setup(self) -> None:
        cache.clear()
        self.known_rows.seen.clear()
        self.change = transaction.atomic()
        # As Django marks the transaction of a test: for the code under test it is none.
        self.change._from_testcase = True
        self.change.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.change.__exit__(None, None, None)

    def before_call(self, case: schemathesis.Case) -> None:
        self.known_rows.put_known_ids(case)

    def after_call(self, response: Any, case: schemathesis.Case) -> None:
        self.known_rows.remember_ids(response.text)

    def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
        return {"headers": self.known_rows.headers}

    def validate_response(self, response: Any, case: schemathesis.Case, **kwargs: Any) -> None:
        case.validate_response(response, checks=CHECKS, transport_kwargs=kwargs)


def test_no_sequence_of_generated_requests_gets_an_undocumented_answer(known_rows: KnownRows) -> None:
    Flow.known_rows = known_rows
    # The clock stands still, so that limits per minute are the same in every run.
    with time_machine.travel(timezone.now(), tick=False):
        Flow.run(settings=settings(max_examples=FLOWS, stateful_step_count=STEPS))

"""Chains of generated requests, each using results of the one before: create, read, cancel, delete, read again."""

from typing import Any, ClassVar

import pytest
import schemathesis
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from genvid.tests.fuzz.stage import CHECKS, FLOWS, STEPS, Cast, api, settings

pytestmark = pytest.mark.django_db


class Flow(api.as_state_machine()):  # type: ignore[misc]
    cast: ClassVar[Cast]

    def setup(self) -> None:
        cache.clear()
        self.cast.seen.clear()
        self.change = transaction.atomic()
        self.change.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.change.__exit__(None, None, None)

    def before_call(self, case: schemathesis.Case) -> None:
        self.cast.lead(case)

    def after_call(self, response: Any, case: schemathesis.Case) -> None:
        self.cast.listen(response.text)

    def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
        return {"headers": self.cast.headers}

    def validate_response(self, response: Any, case: schemathesis.Case, **kwargs: Any) -> None:
        case.validate_response(response, checks=CHECKS, transport_kwargs=kwargs)


def test_no_chain_of_made_up_requests_gets_an_answer_that_is_not_documented(cast: Cast) -> None:
    Flow.cast = cast
    # The clock stands still: what may be done again only after a minute is then the same in every run.
    with time_machine.travel(timezone.now(), tick=False):
        Flow.run(settings=settings(max_examples=FLOWS, stateful_step_count=STEPS))

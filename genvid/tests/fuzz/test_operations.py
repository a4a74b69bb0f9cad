"""Generated valid and invalid requests: each answer is documented in the OpenAPI document."""

import pytest
import schemathesis
from django.core.cache import cache
from django.db import transaction

from genvid.tests.fuzz.generated_requests import CHECKS, EXAMPLES, KnownRows, api, settings

pytestmark = pytest.mark.django_db


@api.parametrize()
@settings(max_examples=EXAMPLES)
def test_no_generated_request_gets_an_undocumented_answer(case: schemathesis.Case, known_rows: KnownRows) -> None:
    known_rows.put_known_ids(case)
    cache.clear()
    with transaction.atomic():
        case.call_and_validate(headers=known_rows.headers, checks=CHECKS)
        transaction.set_rollback(True)

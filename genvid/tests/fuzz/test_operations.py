"""Generated requests, valid and invalid: each answer is one that the document describes."""

import pytest
import schemathesis
from django.core.cache import cache
from django.db import transaction

from genvid.tests.fuzz.stage import CHECKS, EXAMPLES, Cast, api, settings

pytestmark = pytest.mark.django_db


@api.parametrize()
@settings(max_examples=EXAMPLES)
def test_no_made_up_request_gets_an_answer_that_is_not_documented(case: schemathesis.Case, cast: Cast) -> None:
    cast.lead(case)
    cache.clear()
    with transaction.atomic():
        case.call_and_validate(headers=cast.headers, checks=CHECKS)
        transaction.set_rollback(True)

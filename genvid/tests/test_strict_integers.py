"""Whole numbers in bodies, as programs in any language write them."""

import pytest
from rest_framework.exceptions import ValidationError

from genvid.api.parsers import parse_json
from genvid.api.serializers import StrictIntegerField

FIELD = StrictIntegerField(min_value=1, max_value=100)


@pytest.mark.parametrize(("written", "read"), [(b"5", 5), (b"5.0", 5), (b"5e0", 5), (b"1.0e2", 100)])
def test_a_whole_number_is_an_integer_however_it_is_written(written, read):
    found = FIELD.run_validation(parse_json(written))
    assert (found, type(found)) == (read, int)


@pytest.mark.parametrize("written", [b"5.5", b'"5"', b'"5.0"', b"true", b"[5]", b"0.0", b"101.0", b"1e300", b"-1.0"])
def test_anything_but_a_whole_number_is_refused_as_an_integer(written):
    with pytest.raises(ValidationError):
        FIELD.run_validation(parse_json(written))

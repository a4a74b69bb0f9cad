"""`manage.py demo` without a server. The tests of the whole site run it to its end."""

import pytest
from django.core.management import CommandError, call_command


def test_without_a_server_the_demo_says_what_to_run_first(capsys, closed_url):
    with pytest.raises(CommandError) as refused:
        call_command("demo", url=closed_url)

    assert str(refused.value) == f"No server answers at {closed_url}: run `make run` first."
    assert capsys.readouterr().out == ""

"""`manage.py demo` where there is nothing to talk to. Its good end is watched in the tests of the whole site."""

import pytest
from django.core.management import CommandError, call_command

from genvid.tests.services import free_port


def test_without_a_server_it_says_what_to_run_first(capsys):
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(CommandError) as refused:
        call_command("demo", url=url)

    assert str(refused.value) == f"No server answers at {url}: run `make run` first."
    assert capsys.readouterr().out == ""

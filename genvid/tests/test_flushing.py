"""A test that commits leaves nothing to the next one."""

from functools import partial

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.core.management.color import no_style
from django.core.management.sql import sql_flush
from django.db import connection
from djstripe.models import Event

from billing.models import RenderRate, Wallet
from genvid.tests.factories import make_caller

pytestmark = pytest.mark.django_db(transaction=True)


def fill() -> None:
    make_caller()
    Event.objects.create(id="evt_1", type="invoice.paid", data={})
    Group.objects.create(name="Support").permissions.add(Permission.objects.first())


def test_a_flush_empties_every_table_that_has_rows():
    fill()
    call_command("flush", interactive=False, reset_sequences=False, inhibit_post_migrate=True, verbosity=0)
    counts = {model: model.objects.count() for model in (Wallet, Event, Group, Permission)}
    assert counts == {Wallet: 0, Event: 0, Group: 0, Permission: 0}


def test_a_flush_leaves_empty_tables_alone():
    Event.objects.create(id="evt_1", type="invoice.paid", data={})
    statements = sql_flush(no_style(), connection, reset_sequences=False)
    assert [line for line in statements if "djstripe" in line] == ['DELETE FROM "djstripe_event"']


def test_a_flush_of_an_empty_database_brings_back_what_every_installation_has():
    flush = partial(call_command, "flush", interactive=False, reset_sequences=False, verbosity=0)
    flush(inhibit_post_migrate=True)
    assert RenderRate.objects.count() == 0

    flush(inhibit_post_migrate=False)

    assert RenderRate.objects.count() > 0
    assert Permission.objects.count() > 0


def test_a_flush_that_resets_sequences_truncates_as_ever():
    assert sql_flush(no_style(), connection, reset_sequences=True)[0].startswith("TRUNCATE ")

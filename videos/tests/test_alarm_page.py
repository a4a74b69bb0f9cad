"""The admin page of alarms: their order, what to do, and taking one on."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import StaffAct, User
from genvid.mail import staff_alarms
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import nothing_changes, queries_of
from genvid.tests.factories import PASSWORD
from videos import operator_alarms
from videos.models import OperatorAlarm
from videos.staff.alarm_guide import GUIDE, Severity, advice_on

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:videos_operatoralarm_changelist")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("sam@example.com", PASSWORD))
    return client


def listed(client: Client, state: str = "") -> list[str]:
    address = f"{PAGE}?state={state}" if state else PAGE
    return [alarm.code for alarm in client.get(address).context["cl"].result_list]


def acknowledge(client: Client, *codes: str) -> Any:
    chosen = [str(pk) for pk in OperatorAlarm.objects.filter(code__in=codes).values_list("pk", flat=True)]
    return client.post(PAGE, {"action": "acknowledge", "_selected_action": chosen})


def test_open_alarms_stand_first_by_severity(staff):
    for code in ("set_aside_order_failed", "order_set_aside", "a_new_code", "given_up_without_word"):
        operator_alarms.raise_alarm(code, "1", "text")
    acknowledge(staff, "order_set_aside")
    assert listed(staff) == ["given_up_without_word", "a_new_code", "set_aside_order_failed", "order_set_aside"]


def test_an_alarm_of_another_app_stands_there_too_and_is_mailed_once(staff):
    raise_it = partial(staff_alarms.raise_alarm, "ledger_not_proved", "2026-11-30", subject="Billing", text="Look.")
    assert (raise_it(), raise_it()) == (True, False)
    alarm = OperatorAlarm.objects.get()
    assert (alarm.code, alarm.text, alarm.count, alarm.mailed_at) == ("ledger_not_proved", "Look.", 1, alarm.last_at)
    assert (operator_alarms.mail_alarms(), QueuedMail.objects.count()) == (0, 1)
    assert (listed(staff, "open"), "check_ledger" in staff.get(PAGE).content.decode()) == (["ledger_not_proved"], True)


def test_an_alarm_says_what_to_do(staff):
    operator_alarms.raise_alarm("queue_not_computed", "", "text")
    page = staff.get(PAGE).content.decode()
    assert ("-Q celery,ticks" in page, "critical" in page) == (True, True)


def test_an_alarm_that_somebody_took_on_names_them_and_is_no_longer_open(staff):
    operator_alarms.raise_alarm("order_set_aside", "1", "text")
    acknowledge(staff, "order_set_aside")
    alarm = OperatorAlarm.objects.get()
    assert (alarm.acknowledged_by, listed(staff, "open"), listed(staff, "acknowledged")) == (
        "sam@example.com",
        [],
        ["order_set_aside"],
    )
    assert StaffAct.objects.get().detail["fields"] == "acknowledged_at"


def test_an_alarm_that_happens_again_is_open_again(staff):
    operator_alarms.raise_alarm("order_set_aside", "1", "text")
    acknowledge(staff, "order_set_aside")
    operator_alarms.raise_alarm("order_set_aside", "1", "text")
    assert listed(staff, "open") == ["order_set_aside"]


def test_an_alarm_that_happened_again_meanwhile_is_not_taken_on():
    operator_alarms.raise_alarm("order_set_aside", "1", "text")
    seen = OperatorAlarm.objects.get()
    operator_alarms.raise_alarm("order_set_aside", "1", "text")
    with nothing_changes():
        assert not operator_alarms.acknowledge(seen, by="sam")


def test_an_alarm_is_taken_on_once():
    operator_alarms.raise_alarm("order_set_aside", "1", "text")
    seen = OperatorAlarm.objects.get()
    assert [operator_alarms.acknowledge(seen, by=name) for name in ("sam", "kim")] == [True, False]
    assert OperatorAlarm.objects.get().acknowledged_by == "sam"


def test_only_who_may_change_alarms_takes_one_on():
    user = User.objects.create_user("kim@example.com", PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_operatoralarm"))
    client = Client()
    client.force_login(user)
    operator_alarms.raise_alarm("order_set_aside", "1", "text")
    with nothing_changes():
        acknowledge(client, "order_set_aside")


def test_the_list_of_alarms_takes_as_many_queries_with_three_as_with_one(staff):
    operator_alarms.raise_alarm("order_set_aside", "1", "text")
    staff.get(PAGE)
    with_one = queries_of(lambda: staff.get(PAGE))
    for about in ("2", "3"):
        operator_alarms.raise_alarm("order_set_aside", about, "text")
    assert queries_of(lambda: staff.get(PAGE)) == with_one


def test_the_guide_knows_every_code_that_is_documented():
    page = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text()
    documented = page.partition("| code | what happened | what to do |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", documented, re.MULTILINE)
    assert sorted(code for cell in cells for code in re.findall(r"`(\w+)`", cell)) == sorted(GUIDE)


def test_a_code_that_the_guide_lacks_is_a_warning():
    assert advice_on("something_new").severity == Severity.WARNING

"""Every endpoint with every kind of caller: the table has the expected status, the router finds missing rows."""

from contextlib import nullcontext

import pytest

from accounts import permissions
from accounts.enums import Scope
from accounts.models import ApiKey
from genvid.tests.asserts import nothing_changes
from genvid.tests.endpoint_table import SHARED, TABLE, answer_to, undone
from genvid.tests.router import operations

pytestmark = pytest.mark.django_db


def test_the_endpoint_table_has_every_operation_and_no_other():
    assert sorted(TABLE) == sorted(str(operation) for operation in operations())


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_caller_gets_the_status_of_the_endpoint_table(world, operation):
    rule = TABLE[str(operation)]
    expected = {name: rule.expected(asker) for name, asker in world.askers.items()}
    refused = [world.askers[name] for name, code in expected.items() if code in (401, 403, 404)]
    # Of what is only read, nothing is looked for: that would take as long as all the rest.
    with nothing_changes(but=ApiKey) if operation.method != "GET" else nullcontext():
        answers = {asker.name: answer_to(world, asker, operation) for asker in refused}
    for name in expected.keys() - answers.keys():
        answers[name] = undone(world, world.askers[name], operation)
    assert {name: answers[name].status_code for name in expected} == expected


@pytest.mark.parametrize("operation", [each for each in operations() if not each.is_open], ids=str)
def test_no_answer_shows_an_outsider_data_of_the_owners_account(world, operation):
    answer = undone(world, world.askers["outsider"], operation)
    owned = [the_id for name, the_id in world.ids.items() if the_id and name not in SHARED]
    told = [the_id for the_id in [*owned, str(world.owner.account.pk)] if the_id in answer.content.decode()]
    assert told == []


@pytest.mark.parametrize(
    ("scope", "operation"), [(Scope.KEYS_MANAGE, "GET api-keys"), (Scope.VIDEOS_WRITE, "DELETE videos/{id}")]
)
def test_a_scope_that_every_role_has_is_found(world, monkeypatch, scope, operation):
    monkeypatch.setitem(permissions.ROLES, scope, permissions.ALL_ROLES)
    (found,) = (each for each in operations() if str(each) == operation)
    viewer = world.askers["viewer"]
    assert undone(world, viewer, found).status_code != TABLE[operation].expected(viewer)

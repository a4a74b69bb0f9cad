"""The audit log: entries, visibility, retention."""

import pytest

from accounts import audit_log
from accounts.enums import AuditAct, Role
from accounts.models import AuditEntry
from billing import credits
from genvid.errors import InsufficientCredits
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import make_caller, make_endpoint, make_key, make_teammate

pytestmark = pytest.mark.django_db
LOG = "/api/v1/audit-log"


def acts_of(person) -> list[str]:
    return [entry["act"] for entry in data_of(person.client.get(LOG))]


def test_creating_and_revoking_a_key_is_audited_with_user_and_address(owner):
    payload = {"name": "CI", "scopes": ["videos:read"]}
    key = data_of(owner.client.post("/api/v1/api-keys", payload, HTTP_USER_AGENT="curl/8"), 201)
    owner.client.delete(f"/api/v1/api-keys/{key['id']}")
    revoked, made = (entry for entry in data_of(owner.client.get(LOG)) if entry["act"].startswith("api_key."))
    assert (revoked["act"], revoked["detail"]) == ("api_key.revoked", {"key": key["id"], "name": "CI"})
    assert made["detail"] == {"key": key["id"], "name": "CI", "scopes": "videos:read"}
    assert (made["user_id"], made["address"], made["user_agent"]) == (str(owner.user.pk), "127.0.0.1", "curl/8")


def test_revoking_a_revoked_key_is_not_audited_again(owner):
    key = make_key(owner).key
    for _ in range(2):
        owner.client.delete(f"/api/v1/api-keys/{key.pk}")
    assert acts_of(owner).count("api_key.revoked") == 1


def test_changes_of_webhook_endpoints_are_audited(owner):
    endpoint = make_endpoint(owner, url="https://203.0.113.9/hook")
    path = f"/api/v1/webhook-endpoints/{endpoint.pk}"
    owner.client.patch(path, {"description": "Mine"})
    owner.client.post(f"{path}/rotate-secret")
    owner.client.delete(path)
    assert acts_of(owner)[:4] == [
        "webhook_endpoint.removed",
        "webhook_endpoint.secret_rotated",
        "webhook_endpoint.changed",
        "webhook_endpoint.created",
    ]


def test_audit_log_contains_no_secrets(owner):
    endpoint, key = make_endpoint(owner), make_key(owner)
    written = str(list(AuditEntry.objects.values()))
    assert endpoint.secret not in written
    assert key.text not in written


def test_credit_adjustment_is_audited_once(owner):
    for _ in range(2):
        credits.adjust(owner.account.pk, 5, reference="gift", description="Sorry.", staff_id=owner.user.pk)
    (entry,) = data_of(owner.client.get(LOG, {"act": "credits.adjusted"}))
    assert (entry["detail"], entry["user_id"]) == ({"credits": "5", "reference": "gift"}, str(owner.user.pk))


def test_refused_credit_adjustment_is_not_audited(owner):
    with nothing_changes(), pytest.raises(InsufficientCredits):
        credits.adjust(owner.account.pk, -5000, reference="theft", description="No.")


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_only_owners_read_the_audit_log(owner, role):
    person = make_teammate(owner, role)
    assert refusal_of(person.client.get(LOG)) == (403, "permission_denied")


def test_audit_log_shows_only_the_callers_account(owner):
    make_key(make_caller())
    assert data_of(owner.client.get(LOG, {"act": "api_key.created"})) == []


def test_audit_log_filter_refuses_unknown_actions(owner):
    assert wrong_fields_of(owner.client.get(LOG, {"act": "nothing"})) == ["act"]


def test_audit_log_query_count_does_not_depend_on_its_length(owner):
    make_key(owner)
    few = queries_once_warm(lambda: owner.client.get(LOG))
    for _ in range(20):
        audit_log.record_by(owner.caller, AuditAct.KEY_CREATED)
    assert queries_once_warm(lambda: owner.client.get(LOG)) == few


def test_audit_entries_are_deleted_after_thirteen_months(owner):
    audit_log.record_by(owner.caller, AuditAct.KEY_CREATED)
    AuditEntry.objects.update(created_at=AuditEntry.objects.latest("created_at").created_at - audit_log.RETENTION)
    audit_log.record_by(owner.caller, AuditAct.KEY_REVOKED)
    audit_log.delete_old_entries()
    assert set(AuditEntry.objects.values_list("act", flat=True)) == {"api_key.revoked"}

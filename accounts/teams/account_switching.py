"""Switches a signed-in person to another of their accounts."""

from uuid import UUID

from django.db import transaction

from accounts import audit_log
from accounts.auth import session_cache, sign_in
from accounts.caller import Caller
from accounts.enums import AuditAct, Revocation
from accounts.models import Membership, Session
from genvid.api.serializers import refuse_field
from genvid.errors import NotAuthenticated


@transaction.atomic
def switch_account(caller: Caller, *, account_id: UUID) -> sign_in.SignedIn:
    """Revokes the caller's session. Raises ValidationFailed on `account_id`, NotAuthenticated if it has ended."""
    mine = Membership.objects.filter(user=caller.user_id, account=account_id)
    membership: Membership | None = mine.select_related("account", "user").first()
    if membership is None:
        raise refuse_field("account_id", "You do not belong to such an account.")
    present = Session.objects.filter(pk=caller.session_id).first() if caller.session_id else None
    if present is None or not present.revoke(Revocation.SWITCHED):
        raise NotAuthenticated
    transaction.on_commit(lambda: session_cache.end_sessions(present.pk), robust=True)
    audit_log.record(AuditAct.ACCOUNT_SWITCHED, account_id=account_id, user_id=caller.user_id, before=caller.account_id)
    return sign_in.SignedIn(membership.user, membership, sign_in.open_session(membership))

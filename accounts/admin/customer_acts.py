"""Acts of staff on a customer's sessions, keys and webhook deliveries."""

from typing import Any
from uuid import UUID

from django import forms

from accounts.admin.confirmed_acts import ConfirmedAct
from accounts.api_keys import api_keys
from accounts.auth import sessions
from accounts.models import Account, ApiKey, Delivery, Session
from accounts.webhooks import webhook_endpoints


def no_form(row: Any, data: Any = None) -> forms.Form:
    return forms.Form(data)


def _end_all(account: Account, *, staff_id: UUID, token: UUID) -> str:
    opened = Session.objects.filter(account=account)
    ended = sessions.end_sessions_by_staff(opened, account_id=account.pk, staff_id=staff_id, token=token)
    return f"{ended} sessions ended."


def _end_one(session: Session, *, staff_id: UUID, token: UUID) -> str:
    opened = Session.objects.filter(pk=session.pk)
    sessions.end_sessions_by_staff(opened, account_id=session.account_id, staff_id=staff_id, token=token)
    return "The session ended."


def _revoke(key: ApiKey, *, staff_id: UUID, token: UUID) -> str:
    api_keys.revoke_key_by_staff(key, staff_id=staff_id, token=token)
    return f"{key.name} is revoked."


def _resend(delivery: Delivery, *, staff_id: UUID, token: UUID) -> str:
    webhook_endpoints.resend_by_staff(delivery, staff_id=staff_id, token=token)
    return "It is sent again now."


END_SESSIONS = ConfirmedAct(
    "end_sessions",
    "End all sessions",
    "accounts.change_session",
    _end_all,
    lambda account: "Everybody who is signed in to this account must sign in again. API keys go on working.",
    lambda account: account.pk,
    no_form,
)
END_SESSION = ConfirmedAct(
    "end",
    "End this session",
    "accounts.change_session",
    _end_one,
    lambda session: f"{session.user} must sign in again there.",
    lambda session: session.account_id,
    no_form,
)
REVOKE_KEY = ConfirmedAct(
    "revoke",
    "Revoke this key",
    "accounts.change_apikey",
    _revoke,
    lambda key: "Programs that use this key are refused at once, for good.",
    lambda key: key.account_id,
    no_form,
)
RESEND = ConfirmedAct(
    "resend",
    "Send this webhook again",
    "accounts.change_delivery",
    _resend,
    lambda delivery: f"{delivery.endpoint.url} gets {delivery.event.type} once more, at once.",
    lambda delivery: delivery.endpoint.account_id,
    no_form,
)

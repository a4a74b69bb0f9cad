"""HeyGen's own page on which a filmed person consents: its address is valid for a day, and a fresh one can be had."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from accounts import audit_log
from accounts.caller import Caller
from accounts.enums import AuditAct
from avatars.enums import ConsentStatus, EntryStatus
from avatars.models import Creation
from avatars.own.clients import maker_for, may_call
from genvid import database_clock
from genvid.errors import InvalidState, ProviderUnavailable
from genvid.heygen.avatar_making import AvatarMaker
from genvid.heygen.heygen_errors import HeyGenError

LIFETIME = timedelta(hours=24)
CALL_SECONDS = 10.0
"""A request waits for HeyGen no longer than that."""
RETRY_SECONDS = 30


def status_of(creation: Creation) -> ConsentStatus:
    if creation.consent_confirmed_at is not None:
        return ConsentStatus.CONFIRMED
    return ConsentStatus.WAITING if creation.status == EntryStatus.WAITING_FOR_CONSENT else ConsentStatus.GIVEN


def shown_url(creation: Creation) -> str | None:
    """None once it has expired."""
    expires_at = creation.consent_url_expires_at
    if not creation.consent_url or (expires_at is not None and expires_at <= database_clock.now()):
        return None
    return creation.consent_url


def new_page(creation: Creation, maker: AvatarMaker) -> dict[str, Any]:
    """Ask HeyGen for the page. Raises HeyGenError. Call it outside of any transaction."""
    url = maker.ask_for_consent(creation.provider_group_id)
    return {"consent_url": url[:2000], "consent_url_expires_at": database_clock.now() + LIFETIME}


def renew(caller: Caller, creation: Creation) -> Creation:
    """A fresh address for the customer, now. Raises InvalidState, ProviderUnavailable."""
    if creation.status != EntryStatus.WAITING_FOR_CONSENT or creation.deleted_at is not None:
        raise InvalidState("Nobody is asked for consent at present.")
    if not may_call(creation):
        raise ProviderUnavailable(retry_after=RETRY_SECONDS)
    maker = maker_for(creation)
    quick = replace(maker.client, write_timeout=min(CALL_SECONDS, maker.client.write_timeout))
    try:
        page = new_page(creation, AvatarMaker(quick))
    except HeyGenError as error:
        raise ProviderUnavailable(retry_after=RETRY_SECONDS) from error
    waiting = Creation.objects.filter(pk=creation.pk, status=EntryStatus.WAITING_FOR_CONSENT, deleted_at=None)
    if waiting.update(**page) != 1:
        raise InvalidState("Nobody is asked for consent at present.")
    creation.show(page)
    audit_log.record_by(caller, AuditAct.CONSENT_REQUESTED, kind=creation.kind, entry=creation.entry_id)
    return creation

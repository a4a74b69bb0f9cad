"""Panels of the customer's page: keys, sessions, invitations, webhooks, audit log, mails. All read by index."""

from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.confirmed_acts import link_of
from accounts.admin.customer_acts import END_SESSION, END_SESSIONS, RESEND, REVOKE_KEY
from accounts.enums import DeliveryStatus
from accounts.models import Account, ApiKey, AuditEntry, Delivery, Invitation, Session, WebhookEndpoint
from genvid.mail.models import QueuedMail
from genvid.panels import Cell, Link, Panel, label, link_to, links, list_of, moment, panel

SHOWN = 10
PAGE = "accounts.account"
DELIVERY_COLOURS = {
    DeliveryStatus.DELIVERED: "success",
    DeliveryStatus.PENDING: "info",
    DeliveryStatus.FAILED: "danger",
}


@panel(PAGE, order=40, permission="accounts.view_apikey")
def keys(request: HttpRequest, account: Account) -> Panel:
    found = ApiKey.objects.filter(account=account).select_related("created_by")[:SHOWN]
    rows = [
        (link_to(key), key.mode, link_to(key.created_by), moment(key.last_used_at), _state_of_key(key),
         links(_revoke(request, key)))
        for key in found
    ]  # fmt: skip
    headers = ("Key", "Mode", "Made by", "Last used", "State", "Acts")
    return Panel("API keys", headers, rows, [Link("All keys", list_of(ApiKey, account__id__exact=account.pk))])


def _revoke(request: HttpRequest, key: ApiKey) -> Link | None:
    return None if key.revoked_at else link_of(request, key, REVOKE_KEY)


def _state_of_key(key: ApiKey) -> Cell:
    if key.revoked_at:
        return label("revoked", "danger")
    is_past = key.expires_at is not None and key.expires_at <= timezone.now()
    return label("expired", "warning") if is_past else label("in use", "success")


@panel(PAGE, order=50, permission="accounts.view_session")
def sessions(request: HttpRequest, account: Account) -> Panel:
    found = Session.objects.filter(account=account).select_related("user")[:SHOWN]
    rows = [
        (link_to(each.user), link_to(each, moment(each.created_at)), moment(each.last_used_at), _state_of_session(each),
         links(None if _is_over(each) else link_of(request, each, END_SESSION)))
        for each in found
    ]  # fmt: skip
    end_all = link_of(request, account, END_SESSIONS)
    buttons = [Link("All sessions", list_of(Session, account__id__exact=account.pk)), *([end_all] if end_all else [])]
    return Panel("Sessions", ("Person", "Since", "Last used", "State", "Acts"), rows, buttons)


def _is_over(session: Session) -> bool:
    return session.revoked_at is not None or session.expires_at <= timezone.now()


def _state_of_session(session: Session) -> Cell:
    if session.revoked_at:
        return label(f"ended: {session.get_revoked_reason_display() or 'unknown'}")
    return label("expired") if _is_over(session) else label("open", "success")


@panel(PAGE, order=60, permission="accounts.view_invitation")
def invitations(request: HttpRequest, account: Account) -> Panel:
    found = Invitation.objects.filter(account=account).select_related("invited_by")[:SHOWN]
    rows = [(link_to(each, each.email), each.role, link_to(each.invited_by), moment(each.expires_at)) for each in found]
    return Panel("Open invitations", ("To", "As", "By", "Until"), rows)


@panel(PAGE, order=70, permission="accounts.view_delivery")
def webhooks(request: HttpRequest, account: Account) -> Panel:
    endpoints = list(WebhookEndpoint.objects.filter(account=account, deleted_at=None))
    found = (
        Delivery.objects.filter(endpoint__in=endpoints)
        .select_related("event", "endpoint")
        .order_by("-created_at", "-id")
    )
    rows = [
        (link_to(each, moment(each.created_at)), each.event.type, link_to(each.endpoint, each.endpoint.url),
         label(each.status, DELIVERY_COLOURS.get(DeliveryStatus(each.status), "")), each.attempts_made,
         links(link_of(request, each, RESEND) if each.endpoint.enabled else None))
        for each in found[:SHOWN]
    ]  # fmt: skip
    off = sum(not endpoint.enabled for endpoint in endpoints)
    note = f"{len(endpoints)} endpoints, {off} switched off."
    all_endpoints = Link("All endpoints", list_of(WebhookEndpoint, account__id__exact=account.pk))
    return Panel("Webhooks", ("When", "Event", "To", "Status", "Attempts", "Acts"), rows, [all_endpoints], note)


@panel(PAGE, order=80, permission="accounts.view_auditentry")
def audit_log(request: HttpRequest, account: Account) -> Panel:
    found = AuditEntry.objects.filter(account=account).select_related("user", "api_key")[:SHOWN]
    rows = [
        (link_to(each, moment(each.created_at)), label(each.act, "warning" if each.by_staff else ""),
         link_to(each.user) or link_to(each.api_key), _said(each))
        for each in found
    ]  # fmt: skip
    everything = Link("Whole audit log", list_of(AuditEntry, account__id__exact=account.pk))
    return Panel("Audit log", ("When", "What", "Who", "Details"), rows, [everything], "Acts of staff are coloured.")


def _said(entry: AuditEntry) -> str:
    return ", ".join(f"{name}: {value}" for name, value in entry.detail.items())[:200]


@panel(PAGE, order=90, permission="mail.view_queuedmail")
def mails(request: HttpRequest, account: Account) -> Panel:
    found = QueuedMail.objects.filter(account=account.pk)[:SHOWN]
    rows = [(link_to(each, moment(each.created_at)), each.kind, _state_of_mail(each), each.error) for each in found]
    everything = Link("All mails", list_of(QueuedMail, account__exact=account.pk))
    return Panel("Mails", ("When", "Kind", "State", "Error"), rows, [everything])


def _state_of_mail(mail: QueuedMail) -> Cell:
    if mail.sent_at:
        return label("sent", "success")
    return label("given up", "danger") if mail.given_up_at else label("waiting", "info")

"""The admin's menu by task. A test compares its table with what is registered."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

GROUPS: dict[str, dict[str, str]] = {
    "Customers": {
        "accounts.account": "Accounts",
        "accounts.user": "People",
        "accounts.membership": "Memberships",
        "accounts.invitation": "Invitations",
        "accounts.session": "Sessions",
        "accounts.apikey": "API keys",
        "accounts.webhookendpoint": "Webhook endpoints",
        "accounts.delivery": "Webhook deliveries",
        "accounts.auditentry": "Audit log",
        "accounts.export": "Exports",
        "accounts.erasure": "Erasures",
        "accounts.idempotencyrecord": "Idempotency keys",
        "accounts.moderationrule": "Rules for texts",
        "accounts.reviewedtext": "Texts to review",
        "accounts.moderatedaccount": "Refused texts by account",
    },
    "Videos": {
        "videos.video": "Videos",
        "videos.batch": "Batches",
        "videos.speech": "Speeches",
        "videos.videoevent": "Timeline of all videos",
        "avatars.avatar": "Avatars",
        "avatars.voice": "Voices",
        "avatars.creation": "Own avatars",
        "avatars.upload": "Uploads",
    },
    "Money": {
        "billing.payment": "Payments",
        "billing.dispute": "Disputes",
        "billing.subscription": "Subscriptions",
        "billing.invoice": "Invoices",
        "billing.wallet": "Wallets",
        "billing.ledgerentry": "Ledger",
        "billing.creditadjustment": "Credits by hand",
        "billing.creditlot": "Credit lots",
        "billing.ledgerproof": "Proofs of the ledger",
        "billing.hold": "Holds",
        "billing.signupgrant": "Sign-up credits",
        "billing.plan": "Plans",
        "billing.tier": "Tiers",
        "billing.renderrate": "Prices of rendering",
        "billing.fee": "Fees",
        "billing.topup": "Automatic purchases",
        "billing.topuprule": "Rules of automatic purchases",
        "billing.checkout": "Checkouts",
        "billing.customer": "Customers at Stripe",
        "billing.formercustomer": "Former customers at Stripe",
        "billing.stripesync": "Stripe syncs",
        "djstripe.event": "Stripe's events",
        "djstripe.webhookeventtrigger": "Stripe's webhooks",
        "djstripe.customer": "Copies: customers",
        "djstripe.subscription": "Copies: subscriptions",
        "djstripe.invoice": "Copies: invoices",
        "djstripe.paymentintent": "Copies: payments",
        "djstripe.charge": "Copies: charges",
        "djstripe.refund": "Copies: refunds",
        "djstripe.dispute": "Copies: disputes",
        "djstripe.session": "Copies: checkouts",
        "djstripe.paymentmethod": "Copies: cards",
        "djstripe.price": "Copies: prices",
        "djstripe.product": "Copies: products",
    },
    "HeyGen": {
        "videos.providerstate": "Gate",
        "videos.providerbalance": "Balances",
        "videos.provideroutage": "Outages",
        "videos.rendertime": "Render times",
        "videos.webhookdelivery": "HeyGen's webhooks",
        "videos.providerwebhook": "Webhook registrations",
    },
    "System": {
        "videos.operatoralarm": "Alarms",
        "heartbeats.heartbeat": "Beat and queues",
        "accounts.staffact": "Acts of staff",
        "mail.queuedmail": "Mails",
        "auth.group": "Groups of staff",
    },
}
OTHERS = "System"
"""The group of a page that the table above does not name yet."""
_links: list[tuple[str, str, str, str]] = []


def add_link(group: str, title: str, url_name: str, permission: str) -> None:
    """A page that is no table. It stands first in its group."""
    _links.append((group, title, url_name, permission))


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's callback for the side bar."""
    tables = {_label(model): model for model in admin.site._registry}
    named = {label for group in GROUPS.values() for label in group}
    groups = [{"items": [{"title": "Home", "icon": "home", "link": reverse("admin:index")}]}]
    for name, titles in GROUPS.items():
        others = sorted(set(tables) - named) if name == OTHERS else []
        shown = [*titles.items(), *((label, apps.get_model(label)._meta.verbose_name_plural) for label in others)]
        items = [*_items_of_links(request, name), *_items_of_tables(request, tables, shown)]
        groups.append({"title": name, "separator": True, "collapsible": True, "items": items})  # type: ignore[dict-item]
    return groups


def _items_of_links(request: HttpRequest, group: str) -> Iterable[dict[str, Any]]:
    for where, title, url_name, permission in _links:
        if where == group and request.user.has_perm(permission):
            yield {"title": title, "link": reverse(url_name)}


def _items_of_tables(request: HttpRequest, tables: dict[str, Any], titles: Any) -> Iterable[dict[str, Any]]:
    for label, title in titles:
        model = tables.get(label)
        if model is None:
            continue
        page = admin.site._registry[model]
        if page.has_module_permission(request) and page.has_view_or_change_permission(request):
            yield {"title": str(title), "link": reverse(f"admin:{label.replace('.', '_')}_changelist")}


def _label(model: Any) -> str:
    return str(model._meta.label_lower)

"""Admin pages of wallets and prices: read-only, except tiers and future prices."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.confirmed_acts import offer
from billing.admin.money_acts import ADJUST, CONFIRM, DECLINE
from billing.ledger.price_explanation import explain_hold
from billing.models import CreditAdjustment, CreditLot, Fee, Hold, LedgerEntry, LedgerProof, RenderRate, Tier, Wallet
from billing.models.wallets import OVERDRAWN
from genvid.admin import AppAdmin, ReadOnlyAdmin, ReadOnlyInline, ReadOnlyMixin
from genvid.panels import Panel, PanelAdmin, coloured, link_reference, linked, panel, step_cells
from genvid.staff_filters import state_filter


class LotInline(ReadOnlyInline):
    model = CreditLot
    fields = ("source", "reference", "granted", "remaining", "expires_at", "created_at")


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account_link", "available", "overrun_factor", "overrun_at", "created_at")
    list_filter = (state_filter({"overdrawn": ("Overdrawn", lambda rows: rows.filter(OVERDRAWN))}),)
    account_link = linked("account", description="customer")
    search_fields = ("account__name", "account__id", "account__members__email")
    list_select_related = ("account",)
    inlines = (LotInline,)


@admin.register(CreditLot)
class CreditLotAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account_link", "source", "granted", "remaining", "expires_at", "created_at")
    account_link = linked("wallet__account", description="customer")
    list_filter = ("source", "expires_at")
    search_fields = ("reference", "wallet__account__name")
    list_select_related = ("wallet__account",)


@admin.register(Hold)
class HoldAdmin(ReadOnlyMixin, PanelAdmin):
    list_display = (*("created_at", "account_link", "what", "amount", "captured", "needed", "state", "settled_at"),)
    account_link = linked("wallet__account", description="customer")
    state = coloured("status", {"success": ["captured"], "info": ["open"]})
    list_filter = ("status", ("needed", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("reference", "wallet__account__name")
    list_select_related = ("wallet__account",)

    @admin.display(description="for", ordering="reference")
    def what(self, hold: Hold) -> Any:
        return link_reference(hold.reference)


@panel("billing.hold", order=10, permission="billing.view_hold")
def price(request: HttpRequest, hold: Hold) -> Panel:
    rows = [step_cells(step) for step in explain_hold(hold.reference).steps()]
    return Panel("Why this price", ("Step", "Amount", "How"), [("For", link_reference(hold.reference), ""), *rows])


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "account_link", "shown_kind", "credits", "balance_after", "what", "description")
    account_link = linked("wallet__account", description="customer")
    shown_kind = coloured(
        "kind", {"success": ["grant"], "info": ["charge"], "warning": ["refund", "adjustment"], "danger": ["clawback"]}
    )
    list_select_related = ("wallet__account",)
    list_filter = ("kind", "created_at")
    search_fields = ("reference", "description", "wallet__account__name")

    @admin.display(description="for", ordering="reference")
    def what(self, entry: LedgerEntry) -> Any:
        return link_reference(entry.reference)


@admin.register(CreditAdjustment)
class CreditAdjustmentAdmin(ReadOnlyAdmin):
    """Credits by hand. Those that wait need a second member of staff."""

    list_display = ("requested_at", "account_link", "credits", "reason", "asked_by", "state", "decided")
    account_link, asked_by = linked("account", description="customer"), linked("requested_by", description="asked by")
    decided = linked("decided_by", description="decided by")
    state = coloured("status", {"success": ["applied"], "warning": ["waiting"]})
    list_filter = ("status", "requested_at")
    search_fields = ("account__name", "requested_by__email")
    list_select_related = ("account", "requested_by", "decided_by")


@admin.register(Tier)
class TierAdmin(AppAdmin):
    """The set of tiers is fixed in the code."""

    list_display = (
        *("code", "name", "weight", "max_in_flight", "retention_days", "uploads_per_day", "upload_bytes"),
        *("free_speech_seconds", "own_avatars", "own_voices"),
    )
    list_filter = ("weight",)
    search_fields = ("code", "name")
    readonly_fields = ("code",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class PriceAdmin(AppAdmin):
    """Append-only: a price change is a new row with a later start."""

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(RenderRate)
class RenderRateAdmin(PriceAdmin):
    list_display = (
        *("engine", "avatar_kind", "resolution", "credits_per_second", "minimum_credits"),
        *("provider_microdollars_per_second", "valid_from"),
    )
    list_filter = ("engine", "avatar_kind", "resolution")
    search_fields = ("engine",)


@admin.register(Fee)
class FeeAdmin(PriceAdmin):
    list_display = ("what", "credits", "unit", "cost", "valid_from")
    list_filter = ("what",)
    search_fields = ("what",)

    @admin.display(description="provider microdollars", ordering="provider_microdollars")
    def cost(self, fee: Fee) -> int | str:
        return "unknown" if fee.provider_microdollars is None else fee.provider_microdollars


@admin.register(LedgerProof)
class LedgerProofAdmin(ReadOnlyAdmin):
    list_display = ("begun_at", "wallets", "discrepancies", "seconds")


offer(WalletAdmin, ADJUST)
offer(CreditAdjustmentAdmin, CONFIRM, DECLINE)

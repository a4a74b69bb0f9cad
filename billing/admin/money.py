"""Admin pages of wallets and prices: read-only, except tiers and future prices."""

from django.contrib import admin
from django.http import HttpRequest

from billing.models import CreditLot, Hold, LedgerEntry, LedgerProof, RenderRate, Tier, Wallet
from billing.models.wallets import OVERDRAWN
from genvid.admin import AppAdmin, ReadOnlyAdmin, ReadOnlyInline
from genvid.staff_filters import state_filter


class LotInline(ReadOnlyInline):
    model = CreditLot
    fields = ("source", "reference", "granted", "remaining", "expires_at", "created_at")


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    list_display = ("account", "balance", "held", "available", "overrun_factor", "overrun_at", "created_at")
    list_filter = (state_filter({"overdrawn": ("Overdrawn", lambda rows: rows.filter(OVERDRAWN))}),)
    search_fields = ("account__name", "account__id", "account__members__email")
    list_select_related = ("account",)
    inlines = (LotInline,)


@admin.register(CreditLot)
class CreditLotAdmin(ReadOnlyAdmin):
    list_display = ("wallet", "source", "granted", "remaining", "expires_at", "created_at")
    list_filter = ("source", "expires_at")
    search_fields = ("reference", "wallet__account__name")
    list_select_related = ("wallet",)


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ("reference", "wallet", "amount", "captured", "needed", "status", "created_at", "settled_at")
    list_filter = ("status", ("needed", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("reference", "wallet__account__name")
    list_select_related = ("wallet",)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "wallet_id", "kind", "credits", "balance_after", "reference", "description")
    list_filter = ("kind", "created_at")
    search_fields = ("reference", "description", "wallet__account__name")


@admin.register(Tier)
class TierAdmin(AppAdmin):
    """The set of tiers is fixed in the code."""

    list_display = ("code", "name", "weight", "max_in_flight", "retention_days")
    list_filter = ("weight",)
    search_fields = ("code", "name")
    readonly_fields = ("code",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(RenderRate)
class RenderRateAdmin(AppAdmin):
    """Append-only: a price change is a new row with a later start."""

    list_display = (
        *("engine", "avatar_kind", "resolution", "credits_per_second", "minimum_credits"),
        *("provider_microdollars_per_second", "valid_from"),
    )
    list_filter = ("engine", "avatar_kind", "resolution")
    search_fields = ("engine",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(LedgerProof)
class LedgerProofAdmin(ReadOnlyAdmin):
    list_display = ("begun_at", "wallets", "discrepancies", "seconds")

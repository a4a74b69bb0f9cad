"""Admin pages of the check of texts: rules, the list of texts to review, accounts, and what a text would meet."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.admin.account_pages import AccountAdmin
from accounts.admin.confirmed_acts import link_of, offer
from accounts.admin.moderation_acts import ALLOW_TEXT, END_SLOWDOWN, REFUSE_TEXT, SET_STRICTNESS
from accounts.enums import ReviewState, RuleKind, Strictness
from accounts.models import Account, ModeratedAccount, ModerationRule, ReviewedText
from accounts.moderation import checks, matching
from accounts.moderation.matching import PatternRefused
from accounts.moderation.normalisation import bare
from genvid.admin import AppAdmin, ReadOnlyAdmin
from genvid.panels import Link, Panel, coloured, link_to, linked, list_of, moment, panel
from genvid.staff_home import Page, Work, add_pages, add_work, count_rows
from genvid.staff_menu import add_link

SEE_RULES, SEE_TEXTS = "accounts.view_moderationrule", "accounts.view_reviewedtext"
SHOWN = 10
EXCERPT = 120
LONGEST_TRIED = 10_000


class RuleForm(forms.ModelForm[ModerationRule]):
    class Meta:
        model = ModerationRule
        fields = ("kind", "text", "reason", "outcome", "strictness", "is_active", "note")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        text, kind = given.get("text", ""), given.get("kind")
        if kind == RuleKind.WORD and text and not bare(text):
            self.add_error("text", "Nothing is left of it once invisible characters are taken out.")
        if kind == RuleKind.PATTERN and text:
            try:
                matching.check_pattern(text)
            except PatternRefused as error:
                self.add_error("text", str(error))
        return given


@admin.register(ModerationRule)
class ModerationRuleAdmin(AppAdmin):
    form = RuleForm
    list_display = ("text", "kind", "outcome", "strictness", "reason", "is_active", "hits", "last_hit_at")
    list_filter = ("is_active", "kind", "outcome", "strictness")
    search_fields = ("text", "reason", "note")
    readonly_fields = ("hits", "last_hit_at", "created_at")
    fields = (*RuleForm.Meta.fields, *readonly_fields)


@admin.register(ReviewedText)
class ReviewedTextAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "account_link", "field", "excerpt", "why", "shown_state", "decider")
    account_link, decider = linked("account", description="customer"), linked("decided_by")
    shown_state = coloured("state", {"warning": ["waiting"], "success": ["allowed"], "danger": ["refused"]})
    list_filter = ("state", "created_at")
    search_fields = ("id", "account__name")
    list_select_related = ("account", "decided_by")
    fields = ("account", "text", "field", "why", "state", "answer", "decided_by", "decided_at", "created_at")

    @admin.display(description="text")
    def excerpt(self, row: ReviewedText) -> str:
        return row.text[:EXCERPT] + "…" * (len(row.text) > EXCERPT)


@admin.register(ModeratedAccount)
class ModeratedAccountAdmin(ReadOnlyAdmin):
    list_display = ("account_link", "strictness", "refusals", "last_refused_at", "blocked_until")
    list_display_links = ("strictness",)
    account_link = linked("account", description="customer")
    list_filter = ("strictness", "last_refused_at")
    search_fields = ("account__name", "account__id")
    list_select_related = ("account",)


@panel("accounts.account", order=85, permission="accounts.view_moderatedaccount")
def texts(request: HttpRequest, account: Account) -> Panel:
    row = ModeratedAccount.objects.filter(pk=account.pk).first() or ModeratedAccount(account=account)
    found = ReviewedText.objects.filter(account=account)[:SHOWN]
    rows = [(link_to(each, moment(each.created_at)), each.field, each.why, each.get_state_display()) for each in found]
    note = f"Checked: {row.strictness}. {row.refusals} texts refused"
    note += f", the last at {moment(row.last_refused_at)}." if row.last_refused_at else "."
    note += f" Slowed down until {moment(row.blocked_until)}." if row.blocks else ""
    acts = [link_of(request, account, act) for act in (SET_STRICTNESS, *([END_SLOWDOWN] if row.blocks else []))]
    everything = Link("All reviewed texts", list_of(ReviewedText, account__id__exact=account.pk))
    return Panel(
        "Check of texts", ("When", "Field", "Why", "State"), rows, [everything, *(act for act in acts if act)], note
    )


class TryForm(forms.Form):
    text = forms.CharField(max_length=LONGEST_TRIED, widget=UnfoldAdminTextareaWidget)
    strictness = forms.ChoiceField(
        choices=[choice for choice in Strictness.choices if choice[0] != Strictness.OFF], widget=UnfoldAdminSelectWidget
    )


def try_text(request: HttpRequest) -> HttpResponse:
    """Would this text be refused? By the rules alone; nothing is stored, counted or sent anywhere."""
    form = TryForm(request.POST if request.method == "POST" else None)
    context = admin.site.each_context(request) | {"title": "Would this text be refused?", "form": form}
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        found = checks.find(None, {"text": given["text"]}, Strictness(given["strictness"]))
        context |= {
            "is_tried": True,
            "findings": found.get("text", []),
            "rule_page": "admin:accounts_moderationrule_change",
        }
    return TemplateResponse(request, "accounts/moderation/try_text.html", context)


add_pages(Page("try-text", "try_text", try_text, SEE_RULES))
add_link("Customers", "Would this text be refused?", "admin:try_text", SEE_RULES)
add_work(
    Work(
        "texts",
        "Texts to review",
        lambda: count_rows(ReviewedText.objects.filter(state=ReviewState.WAITING)),
        lambda: reverse("admin:accounts_reviewedtext_changelist") + "?state__exact=waiting",
        SEE_TEXTS,
    )
)
offer(ReviewedTextAdmin, ALLOW_TEXT, REFUSE_TEXT)
offer(AccountAdmin, SET_STRICTNESS, END_SLOWDOWN)

"""Acts of staff on reviewed texts, and on how an account's texts are checked."""

from typing import Any
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin.confirmed_acts import ConfirmedAct
from accounts.admin.customer_acts import no_form
from accounts.enums import ReviewState, Strictness
from accounts.models import Account, ModeratedAccount, ReviewedText
from accounts.moderation import staff_acts


class RefusalForm(forms.Form):
    answer = forms.CharField(
        label="What the customer reads when the text comes again", max_length=300, widget=UnfoldAdminTextInputWidget
    )


class StrictnessForm(forms.Form):
    strictness = forms.ChoiceField(choices=Strictness.choices, widget=UnfoldAdminSelectWidget)


def _allow(text: ReviewedText, *, staff_id: UUID, token: UUID) -> str:
    staff_acts.decide(text, ReviewState.ALLOWED, staff_id=staff_id, token=token)
    return "This text passes now, for this account."


def _refuse(text: ReviewedText, *, staff_id: UUID, token: UUID, answer: str) -> str:
    staff_acts.decide(text, ReviewState.REFUSED, staff_id=staff_id, token=token, answer=answer)
    return "This text is refused from now on, with your answer."


def _set_strictness(account: Account, *, staff_id: UUID, token: UUID, strictness: str) -> str:
    staff_acts.set_strictness(account, Strictness(strictness), staff_id=staff_id, token=token)
    return f"Texts of {account.name} are checked: {strictness}."


def _strictness_form(account: Account, data: Any = None) -> forms.Form:
    row = ModeratedAccount.objects.filter(pk=account.pk).first()
    return StrictnessForm(data, initial={"strictness": row.strictness if row else Strictness.STANDARD})


def _end_slowdown(account: Account, *, staff_id: UUID, token: UUID) -> str:
    staff_acts.end_slowdown(account, staff_id=staff_id, token=token)
    return f"{account.name} may send texts again at once."


ALLOW_TEXT = ConfirmedAct(
    "allow",
    "Allow this text",
    "accounts.change_reviewedtext",
    _allow,
    lambda text: f"{text.account} may use exactly this text. It was stopped because: {text.why}",
    lambda text: text.account_id,
    no_form,
)
REFUSE_TEXT = ConfirmedAct(
    "refuse",
    "Refuse this text",
    "accounts.change_reviewedtext",
    _refuse,
    lambda text: f"{text.account} may not use this text. It was stopped because: {text.why}",
    lambda text: text.account_id,
    lambda text, data=None: RefusalForm(data),
)
SET_STRICTNESS = ConfirmedAct(
    "set_strictness",
    "Set how texts are checked",
    "accounts.change_moderatedaccount",
    _set_strictness,
    lambda account: (
        "Off: no rule holds and no outside service is asked. Strict: rules for strict accounts hold, too, "
        "and accents, lookalikes and digits in words are seen through."
    ),
    lambda account: account.pk,
    _strictness_form,
)
END_SLOWDOWN = ConfirmedAct(
    "end_slowdown",
    "End the slow-down of texts",
    "accounts.change_moderatedaccount",
    _end_slowdown,
    lambda account: (
        "After many refused texts this account has to wait. It will not any more; the next refusals count anew."
    ),
    lambda account: account.pk,
    no_form,
)

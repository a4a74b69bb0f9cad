"""The staff actions on videos: their names, texts and forms, for the admin pages that confirm them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from genvid.confirmation import is_confirmed, render_confirmation
from videos.models import Video
from videos.staff import manual_files, staff_actions

__all__ = ["MAX_AT_ONCE", "STAFF_ACTIONS", "StaffAction", "is_confirmed", "render_confirmation"]

MAX_AT_ONCE = 100
UNDER_WAY = "What HeyGen has already begun goes on there and is billed to us, whatever becomes of it here."


def _text(label: str, limit: int) -> forms.CharField:
    return forms.CharField(label=label, max_length=limit, widget=UnfoldAdminTextInputWidget)


def _credits(label: str, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, widget=UnfoldAdminIntegerFieldWidget, **options)


class RequeueForm(forms.Form):
    why = _text("Why (for the history)", 200)
    abandon_order = forms.BooleanField(
        label="Abandon an order that HeyGen has: we pay for it and for the new one",
        required=False,
        widget=UnfoldBooleanWidget,
    )


class MessageForm(forms.Form):
    message = _text("What the client reads", 300)


class CancelForm(forms.Form):
    charge = _credits("Credits to keep of each, because HeyGen bills us", min_value=0, initial=0)


class FileForm(forms.Form):
    file = forms.FileField(label="MP4", widget=UnfoldAdminFileFieldWidget)


class RefundForm(forms.Form):
    credits = _credits("Credits to give back", min_value=1)
    why = _text("Why (the client reads it in the ledger)", 150)


@dataclass(frozen=True)
class StaffAction:
    """`run` gets the video, `by` (a user name) and the fields of the form. `bulk`: offered for several videos too."""

    name: str
    title: str
    warning: str
    run: Callable[..., Video]
    form: type[forms.Form] = forms.Form
    bulk: bool = True
    is_local: bool = False
    """It calls nothing outside, so action and audit entry are one transaction."""


STAFF_ACTIONS = (
    StaffAction(
        "requeue",
        "Put back into the queue",
        "A new order will be placed, and HeyGen bills every order. Nothing is charged to the client for the old one.",
        staff_actions.requeue_by_staff,
        RequeueForm,
    ),
    StaffAction(
        "let_go_on",
        "Resume this order",
        "A video that was set aside is ordered again. If HeyGen refuses it for our account once more, the gate closes.",
        staff_actions.resume_set_aside,
    ),
    StaffAction(
        "fetch_again",
        "Fetch the file again",
        "The file is fetched from HeyGen, and replaces ours where there is one. No credits move.",
        staff_actions.fetch_again,
    ),
    StaffAction(
        "cancel",
        "Cancel",
        f"The video ends as canceled; what is not kept of its hold is given back. {UNDER_WAY}",
        staff_actions.cancel_by_staff,
        CancelForm,
        is_local=True,
    ),
    StaffAction(
        "settle_failed",
        "Settle as failed",
        f"The video ends as failed, and all its credits are given back. {UNDER_WAY}",
        staff_actions.settle_failed,
        MessageForm,
        is_local=True,
    ),
    StaffAction(
        "settle_completed",
        "Complete with a file of ours",
        "The client gets the file that you upload, and is charged for its length.",
        manual_files.settle_completed,
        FileForm,
        bulk=False,
    ),
    StaffAction(
        "refund",
        "Refund",
        "Credits go back to the client, once for each video. The file stays.",
        staff_actions.refund_by_staff,
        RefundForm,
        bulk=False,
        is_local=True,
    ),
)

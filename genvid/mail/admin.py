"""The outbox in the admin: queued, sent and failed mails."""

from datetime import timedelta

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from genvid.admin import ReadOnlyAdmin
from genvid.mail import delivery
from genvid.mail.models import QueuedMail
from genvid.staff_home import Work, add_work, count_rows

MAX_AT_ONCE = 200
LATE = timedelta(minutes=5)
"""A mail that waits for so long is worth a look; each waits for some seconds."""


@admin.register(QueuedMail)
class QueuedMailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "person", "due_at", "attempts", "error", "sent_at", "given_up_at")
    list_filter = (
        "kind",
        ("due_at", admin.EmptyFieldListFilter),
        ("given_up_at", admin.EmptyFieldListFilter),
        "created_at",
    )
    search_fields = ("key", "person", "account", "address")
    actions = ("send_again",)

    def has_send_permission(self, request: HttpRequest) -> bool:
        allowed: bool = request.user.has_perm("mail.change_queuedmail")
        return allowed

    @admin.action(description="Send again what was given up", permissions=["send"])
    def send_again(self, request: HttpRequest, mails: "QuerySet[QueuedMail]") -> None:
        sent = sum(delivery.send_again(mail) for mail in mails[:MAX_AT_ONCE])
        self.message_user(request, f"{sent} of the chosen mails will be sent again.", messages.SUCCESS)


add_work(
    Work(
        "mails",
        "Mails unsent for five minutes",
        lambda: count_rows(QueuedMail.objects.unsent().filter(created_at__lt=timezone.now() - LATE)),
        lambda: reverse("admin:mail_queuedmail_changelist") + "?due_at__isempty=0",
        "mail.view_queuedmail",
        is_urgent=True,
    ),
    Work(
        "mails-given-up",
        "Mails given up",
        lambda: count_rows(QueuedMail.objects.given_up()),
        lambda: reverse("admin:mail_queuedmail_changelist") + "?given_up_at__isempty=0",
        "mail.view_queuedmail",
    ),
)

"""The outbox in the admin: queued, sent and failed mails."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from genvid.admin import ReadOnlyAdmin
from genvid.mail import delivery
from genvid.mail.models import QueuedMail

MAX_AT_ONCE = 200


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

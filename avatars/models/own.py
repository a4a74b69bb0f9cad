"""The making of customers' own avatars and voices: its status, money, consent, and its copy at HeyGen."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, ApiKey, User
from avatars.enums import PENDING, SOURCES, CreationKind, EntryStatus
from avatars.models.catalogue import Avatar, CatalogueEntry, Voice
from avatars.models.uploads import Upload
from genvid import database_clock
from genvid.leasing import Leased, LeasedQuerySet, from_now
from genvid.request_context import RequestContext

MARKER = "genvid"


class CreationQuerySet(LeasedQuerySet):
    def occupying(self, kinds: Any) -> "CreationQuerySet":
        """Those that count against the limit of a plan."""
        gone = (EntryStatus.FAILED, EntryStatus.REFUSED)
        return self.filter(kind__in=kinds, deleted_at=None).exclude(status__in=gone)

    def in_review(self) -> "CreationQuerySet":
        return self.filter(status=EntryStatus.REVIEW, deleted_at=None)


class Creation(Leased):
    """Makes one avatar or one voice of an upload. `status` is copied to the entry in the same transaction.

    A row stays when its avatar is deleted, so that its copies at HeyGen are still known by their names. `removed_at`:
    nothing of it is left at HeyGen.
    """

    HELD_BY = ("status", "due_at")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    api_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    is_test = models.BooleanField(default=False, db_default=False)
    kind = models.CharField(max_length=20, choices=CreationKind.choices)
    avatar = models.OneToOneField(
        Avatar, null=True, blank=True, on_delete=models.PROTECT, related_name="creation", db_index=False
    )
    voice = models.OneToOneField(
        Voice, null=True, blank=True, on_delete=models.PROTECT, related_name="creation", db_index=False
    )
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="+", db_index=False)
    language = models.CharField(max_length=100, blank=True, default="", db_default="", help_text="Of a voice.")
    status = models.CharField(max_length=20, choices=EntryStatus.choices)

    # Who has agreed to what
    is_me = models.BooleanField(help_text="The customer says that it is their own face or voice.")
    subject_name = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Whose face or voice it is."
    )
    consent_at = models.DateTimeField()
    consent_address = models.GenericIPAddressField(null=True, blank=True)
    consent_user_agent = models.CharField(max_length=200, blank=True, default="", db_default="")
    consent_version = models.CharField(max_length=20)
    consent_language = models.CharField(max_length=10)
    consent_url = models.CharField(max_length=2000, blank=True, default="", db_default="")
    consent_url_expires_at = models.DateTimeField(null=True, blank=True)
    consent_confirmed_at = models.DateTimeField(null=True, blank=True, help_text="On HeyGen's page.")

    credits_held = models.PositiveIntegerField(default=0, db_default=0)
    credits_charged = models.PositiveIntegerField(default=0, db_default=0)
    provider_microdollars = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty: unknown.")
    error_code = models.CharField(max_length=60, blank=True, default="", db_default="")
    error_message = models.CharField(max_length=500, blank=True, default="", db_default="")
    provider_error = models.CharField(max_length=500, blank=True, default="", db_default="", help_text="For staff.")

    # At HeyGen
    attempt = models.PositiveIntegerField(default=0, db_default=0, help_text="Orders that HeyGen may have got.")
    idempotency_key = models.CharField(max_length=80, blank=True, default="", db_default="")
    ordered_at = models.DateTimeField(null=True, blank=True, help_text="When the order was about to be sent first.")
    provider_object_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    provider_group_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    provider_voice_id = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="A voice that HeyGen made with the avatar."
    )
    removed_at = models.DateTimeField(null=True, blank=True, help_text="Nothing of it is left at HeyGen.")

    due_at = models.DateTimeField(null=True, blank=True, help_text="When somebody must act next; also the lease.")
    deadline_at = models.DateTimeField(null=True, blank=True, help_text="The end of this status.")
    tries = models.PositiveIntegerField(default=0, db_default=0)
    waiting_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    moved_at = models.DateTimeField(default=timezone.now, db_default=Now())
    ready_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = CreationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="creation_page"),
            models.Index(fields=["due_at"], name="creation_due", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["status", "moved_at"],
                name="creation_pending",
                condition=Q(status__in=sorted(PENDING), deleted_at=None),
            ),
            models.Index(fields=["upload"], name="creation_of_upload"),
            models.Index(fields=["provider_object_id"], name="creation_of_object", condition=~Q(provider_object_id="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(avatar__isnull=False, voice=None, kind__in=["photo_avatar", "digital_twin"])
                | Q(avatar=None, voice__isnull=False, kind="voice_clone"),
                name="creation_makes_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def entry(self) -> CatalogueEntry:
        return self.voice if self.kind == CreationKind.VOICE_CLONE else self.avatar  # type: ignore[return-value]

    @property
    def entry_id(self) -> uuid.UUID:
        return self.avatar_id or self.voice_id  # type: ignore[return-value]

    @property
    def money_reference(self) -> str:
        return f"{'voice' if self.kind == CreationKind.VOICE_CLONE else 'avatar'}:{self.entry_id}"

    @property
    def marker(self) -> str:
        """The beginning of the names of all its copies at HeyGen."""
        return f"{MARKER} {self.pk}"

    @property
    def name_at_provider(self) -> str:
        return f"{self.marker} {self.attempt}"

    @property
    def request_context(self) -> RequestContext:
        """Of the request that ordered it."""
        ids = {"account_id": self.account_id, "user_id": self.created_by_id, "key_id": self.api_key_id}
        return RequestContext.of(request_id=self.request_id, **ids)

    def move(
        self,
        to: EntryStatus,
        *,
        reason: str,
        detail: str = "",
        deadline: timedelta | None = None,
        entry: dict[str, Any] | None = None,
        **changes: Any,
    ) -> bool:
        """The only place that changes `status`. False when the row was moved, claimed or deleted meanwhile.

        Writes the history, and `entry` into the avatar or voice, in one transaction.
        """
        source, now, changes = self.status, database_clock.now(), {"due_at": from_now()} | changes
        changes |= {"status": to, "moved_at": now, "tries": 0, "waiting_reason": ""}
        changes["deadline_at"] = None if deadline is None else now + deadline
        with transaction.atomic(savepoint=False):
            rows = self.held().filter(status__in=SOURCES[to], deleted_at=None)
            if rows.update(**changes) != 1:
                return False
            self.write_entry(status=to, **(entry or {}))
            CreationEvent.objects.create(
                creation=self, from_status=source, to_status=to, reason=reason, detail=detail[:500], created_at=now
            )
            self.show(changes)
        return True

    def write_entry(self, **changes: Any) -> None:
        model = Voice if self.kind == CreationKind.VOICE_CLONE else Avatar
        model.objects.filter(pk=self.entry_id).update(updated_at=database_clock.now(), **changes)


class CreationEvent(models.Model):
    """The history of a creation: each move, its deletion, and its end at HeyGen."""

    creation = models.ForeignKey(Creation, on_delete=models.CASCADE, related_name="events")
    from_status = models.CharField(max_length=20, blank=True, default="", db_default="")
    to_status = models.CharField(max_length=20)
    reason = models.CharField(max_length=60)
    detail = models.CharField(max_length=500, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"

"""Avatars and voices under our own ids: those that HeyGen lists, written by the sync, and those that customers made."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account
from avatars.enums import AvatarKind, EntryStatus
from avatars.querysets import CatalogueQuerySet


class CatalogueEntry(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_id = models.CharField(max_length=200, null=True, blank=True, unique=True)
    status = models.CharField(
        max_length=20, choices=EntryStatus.choices, default=EntryStatus.READY, db_default=EntryStatus.READY
    )
    name = models.CharField(max_length=200)
    gender = models.CharField(max_length=20, blank=True, default="", db_default="")
    is_available = models.BooleanField(default=True, db_default=True, help_text="HeyGen still lists it.")
    is_hidden = models.BooleanField(default=False, db_default=False, help_text="Staff: clients do not see it.")
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose it is. Once released it is for this account alone; without one it is for all.",
    )
    is_private = models.BooleanField(
        null=True, default=None, help_text="Of the operator's own HeyGen account; unknown until the next sync."
    )
    is_released = models.BooleanField(default=True, db_default=True, help_text="Clients may use it.")
    is_own = models.BooleanField(
        default=False, db_default=False, help_text="Made here by its account, from a file and with consent."
    )
    is_test = models.BooleanField(
        default=False, db_default=False, help_text="Made with a test key, by the test renderer: for test videos alone."
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        return self.is_available and not self.is_hidden

    @property
    def is_ready(self) -> bool:
        return self.status == EntryStatus.READY

    def is_released_to(self, account_id: uuid.UUID) -> bool:
        """Whether an order of this account may be rendered with it. False until a sync has classified it."""
        return self.is_released and self.is_private is not None and self.account_id in (None, account_id)


class Voice(CatalogueEntry):
    language = models.CharField(max_length=100, db_index=True)
    locale = models.CharField(
        max_length=20, blank=True, help_text="Staff: HeyGen does not list it.", default="", db_default=""
    )
    preview_audio_url = models.URLField(max_length=2000, blank=True, default="", db_default="")
    supports_pause = models.BooleanField(default=False, db_default=False)
    supports_locale = models.BooleanField(default=False, db_default=False)

    class Meta(CatalogueEntry.Meta):
        abstract = False
        indexes = [models.Index(fields=["-created_at", "-id"], name="voice_page")]


class Avatar(CatalogueEntry):
    """A look, in HeyGen's terms."""

    kind = models.CharField(max_length=20, choices=AvatarKind.choices, db_index=True)
    default_voice = models.ForeignKey(Voice, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    preview_image_url = models.URLField(max_length=2000, blank=True, default="", db_default="")
    preview_video_url = models.URLField(max_length=2000, blank=True, default="", db_default="")
    engines = models.JSONField(default=list, db_default=[])
    orientation = models.CharField(max_length=20, blank=True, default="", db_default="")
    tags = models.JSONField(default=list, db_default=[])
    is_premium = models.BooleanField(default=False, db_default=False, help_text="Staff: shown as premium.")
    is_featured = models.BooleanField(
        default=False, db_default=False, help_text="Unused: nothing shows it. A later release drops the column."
    )

    class Meta(CatalogueEntry.Meta):
        abstract = False
        indexes = [models.Index(fields=["-created_at", "-id"], name="avatar_page")]

"""Reference design, no part of the product: viewsets of whole models, with everything else left to the settings."""

from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import cached_property
from rest_framework import serializers, viewsets

from accounts.models import User
from avatars.models import Avatar
from billing.models import Hold, Wallet
from videos.models import Video, VideoEvent

PRICE = 5

REQUESTED = ("title", "script", "avatar", "voice", "format", "resolution", "language", "captions", "speed", "metadata")
FACTS = (
    "id", "status", "batch", "background", "retry_of", "is_test", "duration_seconds", "credits_held", "credits_charged",
    "error_code", "error_message", "error_retryable", "file", "thumbnail", "subtitles",
    "created_at", "updated_at", "submitted_at", "completed_at", "expires_at",
)  # fmt: skip


class AvatarSerializer(serializers.ModelSerializer[Avatar]):
    class Meta:
        model = Avatar
        exclude = ("is_hidden", "is_available")


class VideoSerializer(serializers.ModelSerializer[Video]):
    class Meta:
        model = Video
        fields = (*FACTS, *REQUESTED)
        read_only_fields = FACTS


class AvatarViewSet(viewsets.ReadOnlyModelViewSet[Avatar]):
    queryset = Avatar.objects.filter(is_hidden=False, is_available=True)
    serializer_class = AvatarSerializer


class VideoViewSet(viewsets.ModelViewSet[Video]):
    serializer_class = VideoSerializer

    def get_queryset(self) -> QuerySet[Video]:
        return Video.objects.filter(account__members=self.user, deleted_at=None)

    @transaction.atomic
    def perform_create(self, serializer: Any) -> None:
        wallet = Wallet.objects.select_for_update().get(pk=self.account_id)
        if wallet.balance - wallet.held < PRICE:
            raise serializers.ValidationError("There are not enough credits.")
        wallet.held += PRICE
        wallet.save()
        video = serializer.save(
            account_id=self.account_id, created_by=self.user, status="draft", engine="avatar_iv", credits_held=PRICE
        )
        Hold.objects.create(wallet=wallet, reference=f"video:{video.pk}", amount=PRICE)
        VideoEvent.objects.create(video=video, to_status="draft", reason="created")

    @cached_property
    def account_id(self) -> UUID:
        return self.user.memberships.get().account_id

    @property
    def user(self) -> User:
        return cast("User", self.request.user)

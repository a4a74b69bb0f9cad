"""Reference design, no part of the product: viewsets of whole models, with everything else left to the settings."""

from typing import Any, cast

from django.db.models import QuerySet
from rest_framework import serializers, viewsets

from accounts.models import User
from avatars.models import Avatar
from videos.models import Video

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

    def perform_create(self, serializer: Any) -> None:
        account = self.user.memberships.get().account_id
        serializer.save(account_id=account, created_by=self.user, status="draft", engine="avatar_iv")

    @property
    def user(self) -> User:
        return cast("User", self.request.user)

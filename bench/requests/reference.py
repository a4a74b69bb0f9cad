"""The reference design: Django REST framework with its defaults, over our tables and with our tokens.

It has no ledger, rate limits, idempotency, ETags, revocable sessions or strict input.
"""

from typing import Any, cast

from django.db.models import QuerySet
from rest_framework import mixins, negotiation, pagination, parsers, permissions, renderers, serializers, viewsets
from rest_framework.routers import SimpleRouter
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts.models import User
from avatars.models import Avatar
from videos.models import Video

REQUESTED = ("title", "script", "avatar", "voice", "format", "resolution", "language", "captions", "speed", "metadata")
FACTS = (
    "id", "status", "batch", "background", "retry_of", "is_test", "duration_seconds", "credits_held", "credits_charged",
    "error_code", "error_message", "error_retryable", "file", "thumbnail", "subtitles",
    "created_at", "updated_at", "submitted_at", "completed_at", "expires_at",
)  # fmt: skip


class TwentyAPage(pagination.PageNumberPagination):
    page_size = 20


class DefaultViewSet(viewsets.GenericViewSet[Any]):
    authentication_classes = (JWTAuthentication,)
    permission_classes = (permissions.IsAuthenticated,)
    renderer_classes = (renderers.JSONRenderer,)
    parser_classes = (parsers.JSONParser,)
    content_negotiation_class = negotiation.DefaultContentNegotiation
    pagination_class = TwentyAPage


class AvatarSerializer(serializers.ModelSerializer[Avatar]):
    class Meta:
        model = Avatar
        exclude = ("is_hidden", "is_available")


class VideoSerializer(serializers.ModelSerializer[Video]):
    class Meta:
        model = Video
        fields = (*FACTS, *REQUESTED)
        read_only_fields = FACTS


class AvatarViewSet(mixins.ListModelMixin, DefaultViewSet):
    queryset = Avatar.objects.filter(is_hidden=False, is_available=True)
    serializer_class = AvatarSerializer


class VideoViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, DefaultViewSet):
    serializer_class = VideoSerializer

    def get_queryset(self) -> QuerySet[Video]:
        return Video.objects.filter(deleted_at=None, account__memberships__user=self.user)

    def perform_create(self, serializer: Any) -> None:
        account = self.user.memberships.get().account_id
        serializer.save(account_id=account, created_by=self.user, status="draft", engine="avatar_iv")

    @property
    def user(self) -> User:
        return cast("User", self.request.user)


router = SimpleRouter(trailing_slash=False)
router.register("avatars", AvatarViewSet, basename="reference-avatar")
router.register("videos", VideoViewSet, basename="reference-video")

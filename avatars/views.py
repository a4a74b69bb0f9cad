"""Catalogue endpoints: avatars and voices, read-only, cacheable by ETag."""

from collections.abc import Mapping
from typing import ClassVar, cast

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from avatars.filters import AvatarFilter, VoiceFilter
from avatars.models import Avatar, Voice
from avatars.querysets import CatalogueQuerySet
from avatars.serializers import AvatarOutput, VoiceOutput, avatar_data, voice_data
from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import ListMixin, RetrieveMixin

CATALOGUE_SECONDS = 60


class CatalogueViewSet(ListMixin, RetrieveMixin, AccountViewSet):
    tag = "Avatars and voices"
    owned_by: ClassVar[Mapping[str, str]] = {}

    def get_queryset(self) -> CatalogueQuerySet:
        rows = cast("CatalogueQuerySet", super().get_queryset())
        return rows.offered_to(self.caller.account_id)


class AvatarViewSet(CatalogueViewSet):
    queryset = Avatar.objects.all()
    representation = staticmethod(avatar_data)

    def get_queryset(self) -> CatalogueQuerySet:
        return super().get_queryset().with_offered_voice(self.caller.account_id)

    endpoints = {
        "list": Endpoint(
            "list_avatars",
            "List the avatars",
            scope=Scope.CATALOGUE_READ,
            response=AvatarOutput,
            many=True,
            filters=AvatarFilter,
            etag=True,
            max_age=CATALOGUE_SECONDS,
        ),
        "retrieve": Endpoint(
            "get_avatar",
            "Show an avatar",
            scope=Scope.CATALOGUE_READ,
            response=AvatarOutput,
            etag=True,
            max_age=CATALOGUE_SECONDS,
        ),
    }


class VoiceViewSet(CatalogueViewSet):
    queryset = Voice.objects.all()
    representation = staticmethod(voice_data)
    endpoints = {
        "list": Endpoint(
            "list_voices",
            "List the voices",
            scope=Scope.CATALOGUE_READ,
            response=VoiceOutput,
            many=True,
            filters=VoiceFilter,
            etag=True,
            max_age=CATALOGUE_SECONDS,
        ),
        "retrieve": Endpoint(
            "get_voice",
            "Show a voice",
            scope=Scope.CATALOGUE_READ,
            response=VoiceOutput,
            etag=True,
            max_age=CATALOGUE_SECONDS,
        ),
    }

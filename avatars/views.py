"""Catalogue endpoints: avatars and voices, read-only, cacheable by ETag."""

from collections.abc import Mapping
from typing import ClassVar, cast
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from avatars import catalogue_pages, releases
from avatars.filters import AvatarFilter, VoiceFilter
from avatars.models import Avatar, Voice
from avatars.querysets import CatalogueQuerySet
from avatars.serializers import AvatarOutput, VoiceOutput, avatar_data, voice_data
from genvid.api.endpoints import Endpoint
from genvid.api.renderers import Page
from genvid.api.viewsets import RetrieveMixin

CATALOGUE_SECONDS = 60


class CatalogueViewSet(RetrieveMixin, AccountViewSet):
    tag = "Avatars and voices"
    owned_by: ClassVar[Mapping[str, str]] = {}

    def list(self, request: Request) -> Response:
        owner, query = self._owner(), request.META.get("QUERY_STRING", "")
        return Response(catalogue_pages.page_of(self.basename, query, owner, self._read_page))

    def _owner(self) -> UUID | None:
        return catalogue_pages.owner_of(self.caller.account_id, releases.owners)

    def _read_page(self, owner: UUID | None) -> Page:
        page: Page = self.page(self.rows_offered_to(owner)).data
        return page

    def get_queryset(self) -> CatalogueQuerySet:
        return self.rows_offered_to(self.caller.account_id)

    def rows_offered_to(self, account_id: UUID | None) -> CatalogueQuerySet:
        return cast("CatalogueQuerySet", super().get_queryset()).offered_to(account_id)


class AvatarViewSet(CatalogueViewSet):
    queryset = Avatar.objects.all()
    representation = staticmethod(avatar_data)

    def rows_offered_to(self, account_id: UUID | None) -> CatalogueQuerySet:
        return super().rows_offered_to(account_id).with_offered_voice(account_id)

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

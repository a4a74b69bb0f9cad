"""Catalogue endpoints: avatars and voices, read-only, cacheable by ETag."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from avatars import catalogue_pages, releases
from avatars.enums import Owner
from avatars.filters import AvatarFilter, VoiceFilter
from avatars.models import Avatar, Voice
from avatars.own_views import OwnAvatarMixin, OwnVoiceMixin
from avatars.querysets import CatalogueQuerySet
from avatars.serializers import AvatarOutput, VoiceOutput, avatar_data, voice_data
from genvid.api.endpoints import Endpoint
from genvid.api.renderers import Page
from genvid.api.viewsets import RetrieveMixin

CATALOGUE_SECONDS = 60
OF_ALL = {"owner": "shared", "error": None, "consent": None, "credits": None}
"""What the example of a shared one changes in that of an own one."""


class CatalogueViewSet(RetrieveMixin, AccountViewSet):
    tag = "Avatars and voices"
    owned_by: ClassVar[Mapping[str, str]] = {}

    def list(self, request: Request) -> Response:
        query, wanted = request.META.get("QUERY_STRING", ""), request.query_params.get("owner")
        if wanted == Owner.SHARED:
            return Response(catalogue_pages.shared_page_of(self.basename, query, self._read_page))
        page, is_live = self._page_of_account(query, is_own=wanted == Owner.ME)
        if is_live:
            self.max_age = 0
        return Response(page)

    def _page_of_account(self, query: str, *, is_own: bool) -> tuple[Page, bool]:
        """The page, and whether it was read just now."""
        account_id = self.caller.account_id
        if is_own:
            return self._read_page(account_id), True
        return catalogue_pages.page_of(self.basename, query, account_id, releases.owners, self._read_page)

    def retrieve(self, request: Request, **lookup: Any) -> Response:
        if self.get_object().account_id is not None:
            self.max_age = 0
        return super().retrieve(request, **lookup)

    def _read_page(self, owner: UUID | None) -> Page:
        page: Page = self.page(self.rows_offered_to(owner)).data
        return page

    def get_queryset(self) -> CatalogueQuerySet:
        return self.rows_offered_to(self.caller.account_id)

    def rows_offered_to(self, account_id: UUID | None) -> CatalogueQuerySet:
        offered = cast("CatalogueQuerySet", super().get_queryset()).offered_to(account_id)
        if account_id is None:
            return offered
        return offered.of_mode(is_test=self.visible_mode).select_related("creation")

    @property
    def visible_mode(self) -> bool | None:
        """`is_test` of own rows that the caller sees: a key those of its own mode, people both (None)."""
        return None if self.caller.key_id is None else self.caller.is_test


class AvatarViewSet(OwnAvatarMixin, CatalogueViewSet):
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
            example=OF_ALL,
            etag=True,
            max_age=CATALOGUE_SECONDS,
        ),
    }


class VoiceViewSet(OwnVoiceMixin, CatalogueViewSet):
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
            example=OF_ALL,
            etag=True,
            max_age=CATALOGUE_SECONDS,
        ),
    }

"""The catalogue of avatars and voices, read-only, with ETags: clients may ask often and fetch seldom."""

from collections.abc import Mapping
from typing import ClassVar

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from avatars.filters import AvatarFilter, VoiceFilter
from avatars.models import Avatar, Voice
from avatars.serializers import AvatarOutput, VoiceOutput, avatar_data, voice_data
from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import ListMixin, RetrieveMixin

CATALOGUE_SECONDS = 60
"""For so long clients need not ask again."""


class CatalogueViewSet(ListMixin, RetrieveMixin, AccountViewSet):
    """Rows that belong to no account: everybody who has signed in sees those that are visible."""

    owned_by: ClassVar[Mapping[str, str]] = {}


class AvatarViewSet(CatalogueViewSet):
    queryset = Avatar.objects.visible()
    representation = staticmethod(avatar_data)
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
    queryset = Voice.objects.visible()
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

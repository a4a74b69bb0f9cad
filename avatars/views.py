"""The catalogue, with ETags: clients may ask often and fetch seldom."""

import hashlib
from typing import Any, ClassVar
from uuid import UUID

from django.utils.cache import get_conditional_response, patch_cache_control
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from avatars.filters import AvatarFilter, VoiceFilter
from avatars.models import Avatar, Voice
from avatars.serializers import AvatarOutput, VoiceOutput, avatar_data, voice_data
from genvid.api.filters import filter_parameters
from genvid.api.renderers import Page, dump
from genvid.api.views import KeysetListView, StrictAPIView, one_or_404

SCOPES = {"GET": Scope.CATALOGUE_READ}


def with_etag(request: Request, response: Response) -> Response:
    """Name the answer by its content, and answer 304 to whoever has it already."""
    data = response.data
    plain = [data.items, data.meta] if isinstance(data, Page) else data
    etag = f'"{hashlib.sha256(dump(plain)).hexdigest()[:32]}"'
    not_modified = get_conditional_response(request._request, etag=etag)
    answer = Response(status=304) if not_modified is not None and not_modified.status_code == 304 else response
    answer["ETag"] = etag
    patch_cache_control(answer, private=True, max_age=60)
    return answer


class CatalogueListView(KeysetListView):
    row_data: ClassVar[Any]
    """The function that shapes one row."""

    def represent(self, rows: list[Any]) -> list[Any]:
        return [self.row_data(row) for row in rows]


class AvatarsView(CatalogueListView):
    scopes = SCOPES
    filterset_class = AvatarFilter
    row_data = staticmethod(avatar_data)

    @extend_schema(
        responses=AvatarOutput(many=True),
        operation_id="list_avatars",
        parameters=filter_parameters(AvatarFilter),
    )
    def get(self, request: Request) -> Response:
        return with_etag(request, self.page(Avatar.objects.visible()))


class AvatarView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(responses=AvatarOutput, operation_id="get_avatar")
    def get(self, request: Request, pk: UUID) -> Response:
        avatar = one_or_404(Avatar.objects.visible(), pk=pk)
        return with_etag(request, Response(avatar_data(avatar)))


class VoicesView(CatalogueListView):
    scopes = SCOPES
    filterset_class = VoiceFilter
    row_data = staticmethod(voice_data)

    @extend_schema(
        responses=VoiceOutput(many=True),
        operation_id="list_voices",
        parameters=filter_parameters(VoiceFilter),
    )
    def get(self, request: Request) -> Response:
        return with_etag(request, self.page(Voice.objects.visible()))


class VoiceView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(responses=VoiceOutput, operation_id="get_voice")
    def get(self, request: Request, pk: UUID) -> Response:
        return with_etag(request, Response(voice_data(one_or_404(Voice.objects.visible(), pk=pk))))

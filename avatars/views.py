"""The catalogue, with ETags: clients may ask often and fetch seldom."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from avatars.filters import AvatarFilter, VoiceFilter
from avatars.models import Avatar, Voice
from avatars.serializers import AvatarOutput, VoiceOutput, avatar_data, voice_data
from genvid.api.etags import IF_NONE_MATCH, UNCHANGED, with_etag
from genvid.api.filters import filter_parameters
from genvid.api.views import KeysetListView, StrictAPIView, one_or_404

SCOPES = {"GET": Scope.CATALOGUE_READ}


CATALOGUE_SECONDS = 60
"""For so long clients need not ask again."""


def cached(request: Request, response: Response) -> Response:
    return with_etag(request, response, max_age=CATALOGUE_SECONDS)


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
        responses={200: AvatarOutput(many=True), 304: UNCHANGED},
        operation_id="list_avatars",
        parameters=[*filter_parameters(AvatarFilter), IF_NONE_MATCH],
    )
    def get(self, request: Request) -> Response:
        return cached(request, self.page(Avatar.objects.visible()))


class AvatarView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(responses={200: AvatarOutput, 304: UNCHANGED}, operation_id="get_avatar", parameters=[IF_NONE_MATCH])
    def get(self, request: Request, pk: UUID) -> Response:
        avatar = one_or_404(Avatar.objects.visible(), pk=pk)
        return cached(request, Response(avatar_data(avatar)))


class VoicesView(CatalogueListView):
    scopes = SCOPES
    filterset_class = VoiceFilter
    row_data = staticmethod(voice_data)

    @extend_schema(
        responses={200: VoiceOutput(many=True), 304: UNCHANGED},
        operation_id="list_voices",
        parameters=[*filter_parameters(VoiceFilter), IF_NONE_MATCH],
    )
    def get(self, request: Request) -> Response:
        return cached(request, self.page(Voice.objects.visible()))


class VoiceView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(responses={200: VoiceOutput, 304: UNCHANGED}, operation_id="get_voice", parameters=[IF_NONE_MATCH])
    def get(self, request: Request, pk: UUID) -> Response:
        return cached(request, Response(voice_data(one_or_404(Voice.objects.visible(), pk=pk))))

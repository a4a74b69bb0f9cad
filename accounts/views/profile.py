"""A person's profile, the export of their data, and its erasure."""

from django.conf import settings
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import profile
from accounts.enums import Scope
from accounts.models import User
from accounts.privacy import erasures, exports
from accounts.serializers.people import ProfileInput, ProfileOutput, membership_data
from accounts.serializers.privacy import EXPORT_TOKEN, EraseInput, EraseOutput, ExportOutput, export_data
from accounts.views.current import current_membership, current_user
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.bucket_links import bucket_link
from genvid.errors import NotFound
from genvid.file_responses import file_response

ZIP = OpenApiResponse(OpenApiTypes.BINARY, description="A ZIP of JSON files.")
FILENAME = "genvid-export.zip"
TOKEN = OpenApiParameter("token", {"type": "string", "examples": [EXPORT_TOKEN]}, OpenApiParameter.PATH)
BUCKET = OpenApiResponse(description="`Location` is where the bucket gives it out.")


class ProfileViewSet(AccountViewSet):
    tag = "Profile and team"
    endpoints = {
        "retrieve": Endpoint("get_profile", scope=Scope.SELF, response=ProfileOutput),
        "partial_update": Endpoint("update_profile", scope=Scope.SELF, request=ProfileInput, response=ProfileOutput),
        "destroy": Endpoint(
            "erase_profile",
            scope=Scope.SELF,
            request=EraseInput,
            response=EraseOutput,
            status=202,
            errors=("invalid_credentials", "conflict", "invalid_state"),
        ),
        "export": Endpoint("get_profile_export", scope=Scope.SELF, response=ExportOutput, errors=("not_found",)),
        "request_export": Endpoint(
            "export_profile", scope=Scope.SELF, response=ExportOutput, status=202, idempotency=Idempotency.ATOMIC
        ),
    }

    def retrieve(self, request: Request) -> Response:
        """Show your profile."""
        return self._shown(current_user(self.caller))

    def partial_update(self, request: Request) -> Response:
        """Change your profile."""
        changes = self.body
        return self._shown(profile.update_profile(current_user(self.caller), **changes))

    def destroy(self, request: Request) -> Response:
        """Have your data erased.

        Have your data erased, with the accounts that only you belong to. You are signed out everywhere at once.
        """
        return Response(EraseOutput.of(erasures.request_erasure(self.caller, **self.body)), status=202)

    @action(detail=False, methods=["get"])
    def export(self, request: Request) -> Response:
        """Show your last export.

        The last export of your data.
        """
        return Response(export_data(exports.latest_export(self.caller.user_id)))

    @export.mapping.post
    def request_export(self, request: Request) -> Response:
        """Have a copy of your data mailed.

        Have everything that we hold on you, and on the accounts that you own, mailed to you as a link.
        """
        return Response(export_data(exports.request_export(self.caller)), status=202)

    def _shown(self, user: User) -> Response:
        account = membership_data(current_membership(self.caller))
        return Response(ProfileOutput.of(user, account=account, last_login_at=user.last_login))


class ExportFileViewSet(AccountViewSet):
    tag = "Profile and team"
    lookup_field = "token"
    lookup_value_converter = "str"
    endpoints = {
        "retrieve": Endpoint(
            "download_export",
            scope=None,
            response=ZIP,
            status=(200, "application/zip"),
            also={302: BUCKET},
            parameters=(TOKEN,),
        ),
    }

    def retrieve(self, request: Request, token: str) -> HttpResponseBase:
        """Download an export.

        The file behind the link that was mailed. The link itself is the proof.
        """
        export = exports.export_of_token(token)
        if settings.S3_BUCKET:
            # A bucket's file would be read into memory whole.
            return HttpResponseRedirect(bucket_link(export.file, filename=FILENAME, as_attachment=True))
        try:
            return file_response(
                request._request,
                export.file,
                filename=FILENAME,
                cache_control="private, no-store",
                as_attachment=True,
            )
        except FileNotFoundError:
            raise NotFound from None

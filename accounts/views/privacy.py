"""A copy of everything we hold on somebody. Its end is `DELETE profile` (accounts/views/profile.py)."""

from typing import ClassVar

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.idempotency import IDEMPOTENCY_KEY, Effect, idempotent
from accounts.serializers.privacy import ExportOutput, export_data
from accounts.services import exporting
from accounts.views.common import AnonymousView
from genvid.api.views import StrictAPIView
from genvid.errors import NotFound

ZIP = OpenApiResponse(OpenApiTypes.BINARY, description="A ZIP of JSON files.")
BUCKET = OpenApiResponse(description="`Location` is where the bucket gives it out.")


class ExportView(StrictAPIView):
    scopes: ClassVar = {"GET": Scope.SELF, "POST": Scope.SELF}
    reads_body: ClassVar = frozenset()

    @extend_schema(responses=ExportOutput, operation_id="get_profile_export")
    def get(self, request: Request) -> Response:
        """The last export of your data."""
        return Response(export_data(exporting.latest(caller_of(request).user_id)))

    @extend_schema(
        request=None, responses={202: ExportOutput}, operation_id="export_profile", parameters=[IDEMPOTENCY_KEY]
    )
    @idempotent
    def post(self, request: Request) -> Effect:
        """Have everything that we hold on you, and on the accounts that you own, mailed to you as a link."""
        caller = caller_of(request)
        return lambda: Response(export_data(exporting.request(caller)), status=202)


class ExportFileView(AnonymousView):
    @extend_schema(responses={(200, "application/zip"): ZIP, 302: BUCKET}, operation_id="download_export")
    def get(self, request: Request, token: str) -> FileResponse | HttpResponseRedirect:
        """The file behind the link that was mailed. The link itself is the proof."""
        export = exporting.behind(token)
        if settings.S3_BUCKET:
            # Read through us, a bucket's file would be in our memory whole.
            return HttpResponseRedirect(default_storage.url(export.file))
        try:
            file = default_storage.open(export.file, "rb")
        except FileNotFoundError:
            raise NotFound from None
        answer = FileResponse(file, as_attachment=True, filename="genvid-export.zip", content_type="application/zip")
        answer["Content-Length"] = str(export.bytes)
        answer["Cache-Control"] = "private, no-store"
        return answer

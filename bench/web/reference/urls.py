"""Reference design, no part of the product: its addresses."""

import hashlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.routers import DefaultRouter
from rest_framework_simplejwt.views import TokenObtainPairView

from bench.web.reference.views import AvatarViewSet, VideoViewSet

router = DefaultRouter()
router.register("avatars", AvatarViewSet)
router.register("videos", VideoViewSet, basename="video")


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


@csrf_exempt
def keep_upload(request: HttpRequest) -> HttpResponse:
    """Reads the file whole and keeps it as it is: neither looked into nor counted."""
    content = request.FILES["file"].read()  # type: ignore[union-attr]
    name = default_storage.save("uploads/file.wav", ContentFile(content))
    return JsonResponse({"name": name, "sha256": hashlib.sha256(content).hexdigest()}, status=201)


urlpatterns = [
    path("healthz", healthz),
    path("reference/uploads", keep_upload),
    path("reference/login/", TokenObtainPairView.as_view()),
    path("reference/", include(router.urls)),
]

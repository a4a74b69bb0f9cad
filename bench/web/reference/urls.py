"""Reference design, no part of the product: its addresses."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.routers import DefaultRouter
from rest_framework_simplejwt.views import TokenObtainPairView

from bench.web.reference.views import AvatarViewSet, VideoViewSet

router = DefaultRouter()
router.register("avatars", AvatarViewSet)
router.register("videos", VideoViewSet, basename="video")


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("healthz", healthz),
    path("reference/login/", TokenObtainPairView.as_view()),
    path("reference/", include(router.urls)),
]

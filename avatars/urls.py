"""Routes of avatars, voices and uploads below `/api/v1/`."""

from avatars import upload_views, views
from genvid.api.routers import Router

router = Router()
router.register("avatars", views.AvatarViewSet)
router.register("voices", views.VoiceViewSet)
router.register("uploads", upload_views.UploadViewSet)

urlpatterns = router.urls

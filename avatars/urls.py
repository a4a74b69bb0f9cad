"""Routes of avatars and voices below `/api/v1/`."""

from avatars import views
from genvid.api.routers import Router

router = Router()
router.register("avatars", views.AvatarViewSet)
router.register("voices", views.VoiceViewSet)

urlpatterns = router.urls

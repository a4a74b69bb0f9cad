"""Routes of videos, batches, speech and usage below `/api/v1/`."""

from genvid.api.routers import Router, SingletonRouter
from videos.views import batches, speech, usage, videos

router = Router()
router.register("videos", videos.VideoViewSet)
router.register("batches", batches.BatchViewSet)
router.register("speech", speech.SpeechViewSet)

singletons = SingletonRouter()
singletons.register("usage", usage.UsageViewSet)

urlpatterns = [*router.urls, *singletons.urls]

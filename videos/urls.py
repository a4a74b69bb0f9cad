"""Routes of videos, batches and usage below `/api/v1/`."""

from genvid.api.routers import Router, SingletonRouter
from videos.views import batches, usage, videos

router = Router()
router.register("videos", videos.VideoViewSet)
router.register("batches", batches.BatchViewSet)

singletons = SingletonRouter()
singletons.register("usage", usage.UsageViewSet)

urlpatterns = [*router.urls, *singletons.urls]

"""The rows of this room, one module a subject. Everybody imports the names below."""

from videos.models.heygen import OperatorAlarm, ProviderState, ProviderWebhook, RenderPace, WebhookDelivery
from videos.models.videos import Batch, Video, VideoEvent, after

__all__ = [
    "Batch",
    "OperatorAlarm",
    "ProviderState",
    "ProviderWebhook",
    "RenderPace",
    "Video",
    "VideoEvent",
    "WebhookDelivery",
    "after",
]

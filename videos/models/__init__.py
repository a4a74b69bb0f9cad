"""Models of videos, by subject."""

from videos.models.heygen import (
    OperatorAlarm,
    ProviderBalance,
    ProviderOutage,
    ProviderState,
    ProviderWebhook,
    RenderTime,
    WebhookDelivery,
)
from videos.models.queue import QueueSnapshot
from videos.models.speech import Speech
from videos.models.videos import Batch, Video, VideoEvent, address_of, seconds_from_now

__all__ = [
    "Batch",
    "OperatorAlarm",
    "ProviderBalance",
    "ProviderOutage",
    "ProviderState",
    "ProviderWebhook",
    "QueueSnapshot",
    "RenderTime",
    "Speech",
    "Video",
    "VideoEvent",
    "WebhookDelivery",
    "address_of",
    "seconds_from_now",
]

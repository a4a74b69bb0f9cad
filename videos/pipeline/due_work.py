"""Whether a tick of the pipeline would find anything to do: one statement each. For beat alone."""

from videos.models import Video


def has_orders() -> bool:
    return Video.objects.queued().filter(set_aside_at=None).order_by().exists()


def has_polls() -> bool:
    return Video.objects.rendering().due().order_by().exists()

"""Who renders a video: HeyGen, or for a test key's the operator's own sandbox. Both speak one protocol."""

from django.conf import settings

from genvid.heygen.heygen_client import HeyGenClient, get_client, get_test_client
from videos.models import Video


def client_for(video: Video) -> HeyGenClient:
    return get_test_client() if video.is_test else get_client()


def delete_render(video: Video) -> None:
    """Have the renderer forget the video; one that it does not know counts as forgotten. Raises HeyGenError."""
    if not video.provider_video_id or (video.is_test and not settings.TEST_RENDERER_URL):
        # The operator has put the test renderer away, and its files with it.
        return
    client_for(video).delete_video(video.provider_video_id)


def delete_lost_renders(video: Video) -> None:
    """The same for orders whose answer was lost, or that were placed anew: found by what they are called there."""
    is_told = video.attempt == 1 and video.provider_video_id
    if not video.attempt or is_told or (video.is_test and not settings.TEST_RENDERER_URL):
        return
    client, name = client_for(video), f"genvid {video.pk}"
    for found in list(client.find_videos(name)):
        if found.title.startswith(f"{name} "):
            client.delete_video(found.id)

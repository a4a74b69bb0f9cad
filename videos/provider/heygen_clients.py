"""HeyGen clients for a video or a speech: the real HeyGen, or the operator's test renderer."""

from django.conf import settings

from genvid.heygen.heygen_client import HeyGenClient, get_client, get_test_client
from videos.models import Speech, Video


def client_for(row: Video | Speech) -> HeyGenClient:
    return get_test_client() if row.is_test else get_client()


def delete_render(video: Video) -> None:
    """Delete a render; one that the renderer does not know counts as deleted. Raises HeyGenError."""
    if not video.provider_video_id or (video.is_test and not settings.TEST_RENDERER_URL):
        # The operator has removed the test renderer, and its files with it.
        return
    client_for(video).delete_video(video.provider_video_id)


def delete_lost_renders(video: Video) -> None:
    """Delete renders of earlier or unanswered orders of a video, found by their title. Raises HeyGenError."""
    is_complete = video.attempt == 1 and video.provider_video_id
    if not video.attempt or is_complete or (video.is_test and not settings.TEST_RENDERER_URL):
        return
    client, name = client_for(video), f"genvid {video.pk}"
    for found in list(client.find_videos(name)):
        if found.title.startswith(f"{name} "):
            client.delete_video(found.id)

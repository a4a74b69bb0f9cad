"""Shapes of the video endpoints, one module a resource."""

from videos.serializers.videos import EventOutput, QuoteOutput, VideoCreateInput, VideoInput, VideoOutput
from videos.shapes import video_data

__all__ = ["EventOutput", "QuoteOutput", "VideoCreateInput", "VideoInput", "VideoOutput", "video_data"]

"""Input serializers of the video endpoints, and quotes; `videos.representations` has the other outputs."""

from videos.serializers.videos import QuoteOutput, VideoCreateInput, VideoInput

__all__ = ["QuoteOutput", "VideoCreateInput", "VideoInput"]

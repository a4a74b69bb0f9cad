"""What the video endpoints take, and quotes; `videos.representations` has the rest of what they answer."""

from videos.serializers.videos import QuoteOutput, VideoCreateInput, VideoInput

__all__ = ["QuoteOutput", "VideoCreateInput", "VideoInput"]

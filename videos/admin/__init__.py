"""Admin pages of videos."""

from videos.admin import video_pages

__all__ = ["video_pages"]

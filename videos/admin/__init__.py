"""Admin pages of videos."""

from videos.admin import alarm_pages, video_pages

__all__ = ["alarm_pages", "video_pages"]

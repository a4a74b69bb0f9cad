"""Admin pages of videos."""

from videos.admin import (
    alarm_pages,
    home_panels,
    margin_by_engine,
    refused_scripts_page,
    speech_pages,
    video_pages,
)

__all__ = ["alarm_pages", "home_panels", "margin_by_engine", "refused_scripts_page", "speech_pages", "video_pages"]

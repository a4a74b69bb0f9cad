"""The catalogue's part of the work on the staff's home page."""

from django.urls import reverse

from avatars.models import Voice
from genvid.staff_home import Work, add_work

add_work(
    Work(
        "catalogue",
        "Catalogue not synced for two days",
        lambda: int(Voice.objects.is_overdue()),
        lambda: reverse("admin:avatars_voice_changelist"),
        "avatars.view_voice",
    )
)

"""The catalogue's part of the work on the staff's home page."""

from django.urls import reverse

from avatars.models import Creation, Voice
from genvid.staff_home import Work, add_work, count_rows

add_work(
    Work(
        "own_avatars_in_review",
        "Own avatars and voices to review",
        lambda: count_rows(Creation.objects.in_review()),
        lambda: reverse("admin:avatars_creation_changelist") + "?status__exact=review",
        "avatars.view_creation",
    ),
    Work(
        "catalogue",
        "Catalogue not synced for two days",
        lambda: int(Voice.objects.is_overdue()),
        lambda: reverse("admin:avatars_voice_changelist"),
        "avatars.view_voice",
    ),
)

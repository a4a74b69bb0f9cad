"""The admin's search for videos: a whole id or address by its index, else part of a title, a script or a name."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Left

from accounts.models import Account, Membership, User
from genvid.admin_lists import addresses_like, as_uuid
from genvid.trigram_index import LEAST, index_exists
from videos.models import Video
from videos.querysets import VideoQuerySet

TITLE_INDEX = "video_title_parts"
NEWEST = 20_000
"""Videos whose scripts are searched, and titles without the index, or for less than it can find."""
FIRST_CHARACTERS = 200
"""Of a script: an index of all words of all scripts would cost each order more than it is worth."""
MOST_ACCOUNTS = MOST_SCRIPTS = 200


def search_videos(videos: VideoQuerySet, term: str) -> VideoQuerySet:
    for exact in _exact(term):
        found = videos.filter(exact)
        if found.exists():
            return found
    return videos.filter(_with_words(term))


def _exact(term: str) -> Iterator[Q]:
    if pk := as_uuid(term):
        yield Q(pk=pk)
        yield Q(account=pk)
    if "@" in term:
        people = addresses_like(User._meta.get_field("email"), term)
        yield Q(account__in=list(Membership.objects.filter(user__email__in=people).values_list("account", flat=True)))
    yield Q(provider_video_id=term)
    yield Q(request_id=term) & ~Q(request_id="")


def _with_words(term: str) -> Q:
    if "@" in term:
        # Part of an address; one that nobody has finds nothing.
        accounts = Account.objects.filter(members__email__icontains=term)
        return Q(account__in=list(accounts.values_list("pk", flat=True)[:MOST_ACCOUNTS]))
    found = Q(title__icontains=term)
    if len(term) < LEAST or not index_exists(TITLE_INDEX):
        found &= Q(pk__in=_newest().values("pk"))
    named = list(Account.objects.filter(name__icontains=term).values_list("pk", flat=True)[:MOST_ACCOUNTS])
    spoken = _with_first_words(term)
    found |= Q(account__in=named) if named else Q()
    return found | Q(pk__in=spoken) if spoken else found


def _newest() -> VideoQuerySet:
    """From the NEWEST-th on: a range of the index by age, where a list of ids would look each of them up."""
    moments = Video.objects.order_by("-created_at", "-id").values_list("created_at", flat=True)
    since = moments[NEWEST - 1 : NEWEST].first()
    return Video.objects.all() if since is None else Video.objects.filter(created_at__gte=since)


def _with_first_words(term: str) -> list[UUID]:
    """A statement of its own: no index helps both this and a title."""
    found = _newest().annotate(begins=Left("script", FIRST_CHARACTERS)).filter(begins__icontains=term)
    return list(found.order_by("-created_at", "-id").values_list("pk", flat=True)[:MOST_SCRIPTS])

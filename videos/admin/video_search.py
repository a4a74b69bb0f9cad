"""The admin's search for videos: a whole id or address by its index, else part of a title or an account's name."""

from collections.abc import Iterator

from django.db.models import Q

from accounts.models import Account, Membership, User
from genvid.admin_lists import addresses_like, as_uuid
from genvid.trigram_index import LEAST, index_exists
from videos.models import Video
from videos.querysets import VideoQuerySet

TITLE_INDEX = "video_title_parts"
NEWEST = 20_000
"""Videos whose titles are searched without the index, or for less than it can find."""
MOST_ACCOUNTS = 200


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
    titles = Q(title__icontains=term)
    if len(term) < LEAST or not index_exists(TITLE_INDEX):
        newest = Video.objects.order_by("-created_at", "-id").values("pk")[:NEWEST]
        titles &= Q(pk__in=newest)
    named = list(Account.objects.filter(name__icontains=term).values_list("pk", flat=True)[:MOST_ACCOUNTS])
    return titles | Q(account__in=named) if named else titles

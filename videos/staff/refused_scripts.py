"""What HeyGen's content policy refused, for the operator's own rules: words that refused scripts have more often than
rendered ones, and excerpts.

For privacy a word is shown only where scripts of two accounts have it. Names of the account and its members, numbers,
addresses and links are cut in any case. HeyGen's own words, and with them the rows, are kept for
PROVIDER_TEXT_RETENTION, and what was refused when it was listened to for REFUSED_KEPT.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import regex
from django.db.models import QuerySet

from accounts.models import Membership
from accounts.moderation.normalisation import plain
from videos.enums import Status
from videos.models import Speech, Video
from videos.models.speech import REFUSED as CODE

MOST_READ = 500
"""Newest refused scripts, and newest rendered ones to compare them with."""
LEAST_ACCOUNTS = 2
MOST_WORDS, MOST_EXCERPTS = 40, 50
SHORTEST_WORD = 3
EXCERPT_WORDS, WORDS_BEFORE = 40, 15
CUT = "▒"
ADDRESS = r"\S+@\S+|(?:https?://|www\.)\S+"
TOKEN = regex.compile(rf"{ADDRESS}|[\p{{L}}\p{{M}}\p{{N}}'’]+")  # noqa: RUF001 - an apostrophe
NEVER_SHOWN = regex.compile(rf"{ADDRESS}|.*\p{{N}}.*")
QUOTED = regex.compile(rf"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)|{ADDRESS}")


@dataclass(frozen=True)
class Script:
    account_id: UUID
    text: str

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(TOKEN.findall(plain(self.text)))


@dataclass(frozen=True)
class SuspiciousWord:
    """`refused` and `rendered`: how many of the scripts that were read have it."""

    word: str
    refused: int
    rendered: int
    accounts: int


@dataclass(frozen=True)
class Excerpt:
    video_id: UUID
    account: str
    refused_at: datetime
    said: str
    text: str


@dataclass(frozen=True)
class Report:
    refused: int
    rendered: int
    words: Sequence[SuspiciousWord]
    excerpts: Sequence[Excerpt]


def report() -> Report:
    """Four queries, however many scripts there are. Of scripts that were refused when listened to the words alone."""
    videos = list(_refused_videos())
    refused = [Script(video.account_id, video.script or "") for video in videos]
    refused += [Script(*row) for row in _refused_speeches()]
    rendered = [Script(*row) for row in _rendered_scripts()]
    accounts = _accounts_by_word([*refused, *rendered])
    names = _names_by_account({script.account_id for script in refused})
    words = _suspicious(refused, rendered, accounts, hidden=set().union(*names.values()))
    shown = {word for word, ids in accounts.items() if len(ids) >= LEAST_ACCOUNTS}
    suspicious = {each.word for each in words}
    excerpts = [_excerpt(video, shown - names[video.account_id], suspicious) for video in videos[:MOST_EXCERPTS]]
    return Report(len(refused), len(rendered), words, excerpts)


def _refused_videos() -> "QuerySet[Video]":
    """Read by the index of HeyGen's words, which are cleared after their time."""
    found = Video.objects.live().filter(error_code=CODE, script__isnull=False, deleted_at=None)
    found = found.exclude(provider_error="").exclude(script="").select_related("account")
    return found.only("account__name", "script", "provider_error", "completed_at").order_by("-completed_at")[:MOST_READ]


def _refused_speeches() -> Iterable[tuple[Any, ...]]:
    found = Speech.objects.filter(is_test=False, error_code=CODE).exclude(script="").order_by("-created_at")
    return found.values_list("account_id", "script")[:MOST_READ]


def _rendered_scripts() -> Iterable[tuple[Any, ...]]:
    done = Video.objects.live().filter(status=Status.COMPLETED, deleted_at=None, completed_at__isnull=False)
    found = done.exclude(script=None).exclude(script="").order_by("-completed_at")
    return found.values_list("account_id", "script")[:MOST_READ]


def _accounts_by_word(scripts: Iterable[Script]) -> Mapping[str, set[UUID]]:
    found: defaultdict[str, set[UUID]] = defaultdict(set)
    for script in scripts:
        for word in script.words:
            found[word].add(script.account_id)
    return found


def _suspicious(
    refused: Sequence[Script], rendered: Sequence[Script], accounts: Mapping[str, set[UUID]], *, hidden: set[str]
) -> list[SuspiciousWord]:
    """The most telling first: by how much larger its share of the refused scripts is than that of the rendered."""
    bad, good = (Counter(word for script in scripts for word in script.words) for scripts in (refused, rendered))

    def lead(word: str) -> float:
        return bad[word] / len(refused) - good[word] / max(1, len(rendered))

    known = [word for word in bad if len(accounts[word]) >= LEAST_ACCOUNTS and len(word) >= SHORTEST_WORD]
    telling = [word for word in known if lead(word) > 0 and word not in hidden and not NEVER_SHOWN.fullmatch(word)]
    ordered = sorted(telling, key=lambda word: (-lead(word), word))[:MOST_WORDS]
    return [SuspiciousWord(word, bad[word], good[word], len(accounts[word])) for word in ordered]


def _names_by_account(account_ids: set[UUID]) -> Mapping[UUID, set[str]]:
    found: defaultdict[UUID, set[str]] = defaultdict(set)
    rows = Membership.objects.filter(account__in=account_ids).values_list(
        "account_id", "account__name", "user__full_name", "user__company_name"
    )
    for account_id, *names in rows:
        found[account_id] |= {plain(word) for name in names for word in TOKEN.findall(name)}
    return found


def _excerpt(video: Video, shown: set[str], suspicious: set[str]) -> Excerpt:
    tokens = TOKEN.findall(video.script or "")
    first = next((at for at, token in enumerate(tokens) if plain(token) in suspicious & shown), 0)
    begin = max(0, first - WORDS_BEFORE)
    part = tokens[begin : begin + EXCERPT_WORDS]
    words = [token if plain(token) in shown and not NEVER_SHOWN.fullmatch(token) else CUT for token in part]
    text = ("… " if begin else "") + " ".join(words) + (" …" if begin + EXCERPT_WORDS < len(tokens) else "")
    said = QUOTED.sub(CUT, video.provider_error)
    return Excerpt(video.pk, video.account.name, video.completed_at or video.created_at, said, text)

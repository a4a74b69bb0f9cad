"""Texts that a rule or the outside service gives to staff, and their decisions."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.enums import ReviewState
from accounts.models import ReviewedText
from genvid.batched_rows import delete_in_batches

RETENTION = timedelta(days=90)
"""Of waiting texts from their coming, of others from the decision: an allowed text is looked at again then."""
MOST_WAITING = 50
"""Of one account. Beyond it a text is refused without review, so that nobody fills the list of staff."""


@dataclass(frozen=True)
class Doubt:
    """A text that must not pass without staff."""

    field: str
    text: str
    why: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Decision:
    """`state` None: it is not given to staff, since too many wait."""

    state: ReviewState | None
    answer: str = ""


def decisions_on(account_id: UUID, doubts: Iterable[Doubt], *, user_id: UUID | None = None) -> Mapping[str, Decision]:
    """By digest. Texts that staff have not seen are given to them; `user_id`, who sent them, is told what staff decide.

    Call it outside a transaction that may roll back.
    """
    by_digest = {doubt.digest: doubt for doubt in doubts}
    known = _known(account_id, by_digest)
    unknown = {digest: doubt for digest, doubt in by_digest.items() if digest not in known}
    return known | (_given_to_staff(account_id, unknown, user_id) if unknown else {})


def _known(account_id: UUID, digests: Iterable[str]) -> dict[str, Decision]:
    rows = ReviewedText.objects.filter(account=account_id, digest__in=list(digests))
    return {digest: Decision(ReviewState(state), answer) for digest, state, answer in rows.values_list(
        "digest", "state", "answer"
    )}  # fmt: skip


def _given_to_staff(account_id: UUID, doubts: Mapping[str, Doubt], user_id: UUID | None) -> dict[str, Decision]:
    waiting = ReviewedText.objects.filter(account=account_id, state=ReviewState.WAITING).count()
    most = max(0, MOST_WAITING - waiting)
    given = list(doubts.items())[:most]
    rows = [
        ReviewedText(
            account_id=account_id,
            sent_by_id=user_id,
            digest=digest,
            text=doubt.text,
            field=doubt.field[:100],
            why=doubt.why[:300],
        )
        for digest, doubt in given
    ]
    # Another request may have given the same text meanwhile.
    ReviewedText.objects.bulk_create(rows, ignore_conflicts=True)
    waits = dict.fromkeys((digest for digest, _ in given), Decision(ReviewState.WAITING))
    return dict.fromkeys(doubts, Decision(None)) | waits


def delete_old() -> int:
    then = timezone.now() - RETENTION
    waiting = ReviewedText.objects.filter(state=ReviewState.WAITING, created_at__lt=then)
    decided = ReviewedText.objects.filter(decided_at__lt=then)
    return delete_in_batches(waiting) + delete_in_batches(decided)

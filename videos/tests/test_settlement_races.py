"""Ends of one video at the same moment, on the real database: one counts, and nobody waits for another in a circle."""

from decimal import Decimal
from functools import partial

import pytest

from billing.models import Hold, LedgerEntry
from genvid.tests.factories import make_caller, make_video
from genvid.tests.parallel import in_parallel
from videos import settlement
from videos.enums import Status
from videos.models import VideoEvent
from videos.tests.pipeline import fresh, money_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_many_ends_at_once_one_counts():
    person = make_caller(balance=100)
    video = make_video(person, Status.STORING)
    ends = [
        partial(settlement.complete_video, duration=Decimal("2.5")),
        partial(settlement.fail_video, code="render_failed", message="No.", reason="test"),
        partial(settlement.cancel_video, reason="test", charge=1),
    ]
    results = in_parallel([partial(end, fresh(video)) for end in ends * 4])
    assert sorted(results) == [False] * 11 + [True]
    assert VideoEvent.objects.filter(video=video, from_status=Status.STORING).count() == 1
    charged = fresh(video).credits_charged
    assert (money_of(person).balance, money_of(person).held) == (100 - charged, 0)


def test_videos_of_one_wallet_that_end_at_once_are_all_charged():
    person = make_caller(balance=100)
    videos = [make_video(person, Status.STORING) for _ in range(8)]
    ends = [partial(settlement.complete_video, fresh(video), duration=Decimal("2.5")) for video in videos]
    assert in_parallel(ends) == [True] * 8
    charged = sum(fresh(video).credits_charged for video in videos)
    assert (money_of(person).balance, money_of(person).held) == (100 - charged, 0)
    assert sorted(Hold.objects.values_list("captured", flat=True)) == [charged // 8] * 8
    assert list(LedgerEntry.objects.order_by("sequence").values_list("sequence", flat=True)) == [*range(1, 11)]

"""Whether texts are allowed: rules, strictness, reviews, and the slow-down after many refusals."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts.enums import Outcome, ReviewState, Strictness
from accounts.models import AuditEntry, ModeratedAccount, ModerationRule, ReviewedText, User
from accounts.moderation import checks, refusals, reviews, staff_acts
from accounts.privacy import retention
from accounts.tests.moderation import REASON, make_rule, refusal_of_texts
from accounts.tests.privacy import ask_to_be_erased, exported, let_grace_pass, take_step
from genvid.errors import MAX_DETAILS, ContentRefused, InvalidState, RateLimited
from genvid.tests.asserts import nothing_changes, queries_of
from genvid.tests.clocks import still_clocks
from genvid.tests.factories import PASSWORD
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db) -> User:
    return User.objects.create_user("staff@example.com", PASSWORD, is_staff=True)


def set_strictness(person, strictness: Strictness) -> None:
    ModeratedAccount.objects.update_or_create(account=person.account, defaults={"strictness": strictness})


def decide(text: ReviewedText, state: ReviewState, by: User, answer: str = "") -> None:
    staff_acts.decide(text, state, staff_id=by.pk, token=text.pk, answer=answer)


# ── Rules


def test_a_text_that_breaks_a_rule_is_refused_with_its_reason(owner):
    make_rule()
    with pytest.raises(ContentRefused) as refusal:
        checks.require_allowed(owner.account.pk, {"script": "A forbidden word.", "title": "Fine"})
    error = refusal.value
    assert (error.code, error.status, error.retryable, error.details) == (
        *("content_refused", 400, False),
        {"script": REASON},
    )


def test_a_text_that_breaks_none_passes_and_leaves_no_row(owner):
    make_rule()
    with nothing_changes():
        assert refusal_of_texts(owner, script="Hello.", title="") is None


def test_a_rule_that_is_off_does_not_hold(owner):
    make_rule(is_active=False)
    assert refusal_of_texts(owner, script="forbidden") is None


def test_a_changed_rule_holds_at_once_in_this_process(owner):
    rule = make_rule()
    refusal_of_texts(owner, script="forbidden")
    rule.text = "banned"
    rule.save()
    assert [refusal_of_texts(owner, script=text) for text in ("forbidden", "banned")] == [None, {"script": REASON}]


def test_a_removed_rule_does_not_hold(owner):
    rule = make_rule()
    refusal_of_texts(owner, script="forbidden")
    rule.delete()
    assert refusal_of_texts(owner, script="forbidden") is None


@pytest.mark.parametrize(
    ("strictness", "refused"),
    [(Strictness.OFF, [False, False]), (Strictness.STANDARD, [True, False]), (Strictness.STRICT, [True, True])],
)
def test_strictness_says_which_rules_hold(owner, strictness, refused):
    make_rule("forbidden")
    make_rule("daft", strictness=Strictness.STRICT)
    set_strictness(owner, strictness)
    assert [refusal_of_texts(owner, script=text) is not None for text in ("forbidden", "daft")] == refused


def test_a_refusal_names_as_many_fields_as_an_error_may(owner):
    make_rule()
    with pytest.raises(ContentRefused) as refusal:
        checks.require_allowed(owner.account.pk, {f"rows.{row}": f"forbidden {row}" for row in range(50)})
    assert list(refusal.value.details or {}) == [f"rows.{row}" for row in range(MAX_DETAILS)]


def test_a_rule_counts_the_requests_that_it_stopped(owner, outsider):
    rule, other = make_rule(), make_rule("another")
    refusal_of_texts(owner, script="forbidden", title="forbidden")
    refusal_of_texts(outsider, script="forbidden")
    assert dict(ModerationRule.objects.values_list("pk", "hits")) == {rule.pk: 2, other.pk: 0}


# ── What it costs


@pytest.mark.usefixtures("still_caches")
def test_nothing_is_asked_where_nothing_is_configured(owner):
    checks.is_active()  # remembered for some seconds
    assert queries_of(lambda: refusal_of_texts(owner, script="Hello.")) == 0


@pytest.mark.usefixtures("still_caches")
@pytest.mark.parametrize("rows", [1, 30])
def test_allowed_texts_cost_one_query_however_many_they_are(owner, rows):
    make_rule()
    checks.is_active()
    texts = {f"row{row}": f"Hello {row}." for row in range(rows)}
    assert queries_of(lambda: refusal_of_texts(owner, **texts)) == 1


@pytest.mark.django_db(transaction=True)
def test_it_is_not_called_inside_a_transaction(owner):
    make_rule()
    with transaction.atomic(), pytest.raises(RuntimeError):
        refusal_of_texts(owner, script="Hello.")


# ── Reviews


@pytest.fixture
def doubtful(db) -> ModerationRule:
    return make_rule("doubtful", outcome=Outcome.REVIEW)


def test_a_doubtful_text_is_refused_and_given_to_staff_once(owner, doubtful):
    answers = [refusal_of_texts(owner, script="A doubtful text.") for _ in range(2)]
    text = ReviewedText.objects.get()
    assert answers == [{"script": checks.IN_REVIEW}] * 2
    assert (text.account, text.text, text.field, text.why, text.state) == (
        *(owner.account, "A doubtful text.", "script", REASON),
        ReviewState.WAITING,
    )


def test_a_text_in_review_says_so_in_its_message(owner, doubtful):
    with pytest.raises(ContentRefused, match="being reviewed"):
        checks.require_allowed(owner.account.pk, {"script": "doubtful"})


def test_texts_in_review_slow_nobody_down(owner, doubtful, settings):
    settings.MODERATION_REFUSALS_PER_HOUR = 1
    answers = [refusal_of_texts(owner, script="doubtful") for _ in range(3)]
    assert (answers, ModeratedAccount.objects.count()) == ([{"script": checks.IN_REVIEW}] * 3, 0)


def test_an_allowed_text_passes_for_its_account_and_in_its_words_alone(owner, outsider, doubtful, staff):
    refusal_of_texts(owner, script="doubtful")
    decide(ReviewedText.objects.get(), ReviewState.ALLOWED, staff)
    passed = [
        refusal_of_texts(owner, script="doubtful") is None,
        refusal_of_texts(owner, title="doubtful") is None,
        refusal_of_texts(owner, script="Doubtful") is None,
        refusal_of_texts(outsider, script="doubtful") is None,
    ]
    assert passed == [True, True, False, False]


def test_an_allowed_text_does_not_pass_a_rule_that_refuses(owner, doubtful, staff):
    refusal_of_texts(owner, script="doubtful, forbidden")
    decide(ReviewedText.objects.get(), ReviewState.ALLOWED, staff)
    make_rule()
    assert refusal_of_texts(owner, script="doubtful, forbidden") == {"script": REASON}


def test_a_text_that_staff_refused_is_refused_with_their_answer_and_counted(owner, doubtful, staff):
    refusal_of_texts(owner, script="doubtful")
    decide(ReviewedText.objects.get(), ReviewState.REFUSED, staff, "We do not make this.")
    answer = refusal_of_texts(owner, script="doubtful")
    assert (answer, ModeratedAccount.objects.get().refusals) == ({"script": "We do not make this."}, 1)


def test_a_refused_text_is_not_given_to_staff(owner, doubtful):
    make_rule()
    assert refusal_of_texts(owner, script="doubtful and forbidden") == {"script": REASON}
    assert ReviewedText.objects.count() == 0


def test_an_account_cannot_fill_the_list_of_staff(owner, doubtful, monkeypatch):
    monkeypatch.setattr(reviews, "MOST_WAITING", 2)
    texts = {f"rows.{row}": f"doubtful {row}" for row in range(3)}
    answer = refusal_of_texts(owner, **texts)
    assert (answer, ReviewedText.objects.count()) == (
        {"rows.2": checks.NOT_REVIEWED, "rows.0": checks.IN_REVIEW, "rows.1": checks.IN_REVIEW},
        2,
    )


def test_texts_of_earlier_requests_that_wait_are_counted(owner, doubtful, monkeypatch):
    monkeypatch.setattr(reviews, "MOST_WAITING", 2)
    answers = [refusal_of_texts(owner, script=f"doubtful {number}") for number in range(3)]
    assert answers == [{"script": text} for text in (checks.IN_REVIEW, checks.IN_REVIEW, checks.NOT_REVIEWED)]
    assert ReviewedText.objects.count() == 2


def test_a_decision_can_be_changed_but_not_repeated(owner, doubtful, staff):
    refusal_of_texts(owner, script="doubtful")
    text = ReviewedText.objects.get()
    decide(text, ReviewState.ALLOWED, staff)
    with nothing_changes(), pytest.raises(InvalidState):
        staff_acts.decide(text, ReviewState.ALLOWED, staff_id=staff.pk, token=owner.user.pk)
    staff_acts.decide(text, ReviewState.REFUSED, staff_id=staff.pk, token=owner.user.pk, answer="No.")
    assert list(AuditEntry.objects.filter(by_staff=True).order_by("created_at").values_list("act", flat=True)) == [
        "staff.text_allowed",
        "staff.text_refused",
    ]


# ── The slow-down


@pytest.fixture
def two_an_hour(settings):
    settings.MODERATION_REFUSALS_PER_HOUR = 2


def try_once(person) -> int | str:
    """The seconds to wait, or the code of the refusal."""
    try:
        checks.require_allowed(person.account.pk, {"script": "forbidden"})
    except RateLimited as limited:
        return limited.retry_after or 0
    except ContentRefused as refused:
        return refused.code
    return "allowed"


def test_who_is_refused_often_waits_longer_each_time(owner, two_an_hour):
    make_rule()
    with still_clocks() as clocks:
        assert [try_once(owner) for _ in range(3)] == ["content_refused", "content_refused", 60]
        waits = []
        for _ in range(8):
            clocks.shift(timedelta(seconds=waits[-1] if waits else 60))
            assert try_once(owner) == "content_refused"
            waits.append(try_once(owner))
    assert waits == [120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_while_slowed_down_nothing_is_looked_at_or_counted(owner, two_an_hour):
    make_rule()
    with still_clocks():
        for _ in range(2):
            try_once(owner)
        with nothing_changes(), pytest.raises(RateLimited):
            checks.require_allowed(owner.account.pk, {"script": "Hello."})


def test_another_account_is_not_slowed_down(owner, outsider, two_an_hour):
    make_rule()
    for _ in range(3):
        try_once(owner)
    assert try_once(outsider) == "content_refused"


def test_refusals_count_for_an_hour(owner, two_an_hour):
    make_rule()
    with still_clocks() as clocks:
        try_once(owner)
        clocks.shift(timedelta(hours=1))
        assert [try_once(owner), try_once(owner), try_once(owner)] == ["content_refused", "content_refused", 60]


def test_an_hour_without_a_refusal_ends_the_growth(owner, two_an_hour):
    make_rule()
    with still_clocks() as clocks:
        for _ in range(2):
            try_once(owner)
        clocks.shift(timedelta(hours=1, minutes=1))
        assert [try_once(owner), try_once(owner), try_once(owner)] == ["content_refused", "content_refused", 60]


def test_without_a_limit_nobody_is_slowed_down(owner, settings):
    settings.MODERATION_REFUSALS_PER_HOUR = 0
    make_rule()
    assert {try_once(owner) for _ in range(5)} == {"content_refused"}


def test_staff_end_a_slow_down(owner, two_an_hour, staff):
    make_rule()
    for _ in range(2):
        try_once(owner)
    staff_acts.end_slowdown(owner.account, staff_id=staff.pk, token=owner.user.pk)
    assert (try_once(owner), ModeratedAccount.objects.get().refusals) == ("content_refused", 3)
    assert AuditEntry.objects.get(by_staff=True).act == "staff.slowdown_ended"


@pytest.mark.django_db(transaction=True)
def test_concurrent_refusals_are_all_counted_and_slow_down_once(owner, settings):
    settings.MODERATION_REFUSALS_PER_HOUR = 3
    in_parallel([lambda: refusals.count_refusal(owner.account.pk)] * 8)
    row = ModeratedAccount.objects.get()
    assert (row.refusals, len(row.recent), row.blocks) == (8, 3, 1)


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_give_a_text_to_staff_once(owner, doubtful):
    checks.is_active()
    answers = in_parallel([lambda: refusal_of_texts(owner, script="doubtful")] * 6)
    assert (answers, ReviewedText.objects.count()) == ([{"script": checks.IN_REVIEW}] * 6, 1)


# ── Personal data


def test_an_export_has_the_reviewed_texts_and_the_counts_without_staff(owner, doubtful, staff):
    make_rule()
    refusal_of_texts(owner, script="doubtful")
    decide(ReviewedText.objects.get(), ReviewState.REFUSED, staff, "No.")
    refusal_of_texts(owner, script="forbidden")
    files = exported(owner)
    (text,), (account,) = files["reviewed_texts"], files["text_checks"]
    assert (text["text"], text["answer"], "decided_by_id" in text, account["refusals"]) == ("doubtful", "No.", False, 1)


def test_an_erasure_removes_the_reviewed_texts_and_the_counts(owner, doubtful):
    make_rule()
    refusal_of_texts(owner, script="doubtful")
    refusal_of_texts(owner, script="forbidden")
    erasure = ask_to_be_erased(owner)
    let_grace_pass(erasure)
    take_step(erasure)
    assert (ReviewedText.objects.count(), ModeratedAccount.objects.count()) == (0, 0)


def test_reviewed_texts_are_kept_for_their_time(owner, doubtful, staff):
    with still_clocks() as clocks:
        for number in range(2):
            refusal_of_texts(owner, script=f"doubtful {number}")
        decide(ReviewedText.objects.get(text="doubtful 0"), ReviewState.ALLOWED, staff)
        kept = []
        for span in (reviews.RETENTION, timedelta(seconds=1)):
            clocks.shift(span)
            retention.delete_expired()
            kept.append(ReviewedText.objects.count())
    assert kept == [2, 0]

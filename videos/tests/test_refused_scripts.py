"""The staff's page of what HeyGen refused: words that tell, and excerpts without what is private."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from genvid.tests.asserts import queries_once_warm
from genvid.tests.employees import employee
from genvid.tests.factories import Person, make_caller, make_speech, make_video, set_balance
from genvid.tests.generated_rows import analyze, copy_row
from genvid.tests.query_plans import plan_of
from videos.lifecycle import retention
from videos.listening import speech_expiry
from videos.models import Speech, Video
from videos.staff import refused_scripts
from videos.staff.refused_scripts import CUT, SuspiciousWord

pytestmark = pytest.mark.django_db
PAGE, SEE_RULES = "admin:refused_scripts", "view_moderationrule"
SAID = 'content_policy_violation: "buy the poison" is not allowed.'


def make_refused(person: Person, script: str, said: str = SAID, **fields: object) -> Video:
    return make_video(person, "failed", script=script, error_code="content_refused", provider_error=said, **fields)


def words() -> list[SuspiciousWord]:
    return list(refused_scripts.report().words)


def excerpts() -> list[str]:
    return [each.text for each in refused_scripts.report().excerpts]


def test_words_that_refused_scripts_have_more_often_come_first(owner, outsider):
    make_refused(owner, "Please buy the poison")
    make_refused(outsider, "The poison works")
    make_video(owner, "completed", script="Please buy the cake")
    assert words()[:2] == [SuspiciousWord("poison", 2, 0, 2)]


def make_refused_speech(person: Person, script: str, **fields: object) -> Speech:
    return make_speech(person, "failed", script=script, error_code="content_refused", **fields)


def test_scripts_that_were_refused_when_they_were_listened_to_are_learned_from(owner, outsider):
    make_refused_speech(owner, "Please buy the poison, says Olive")
    make_refused_speech(outsider, "The poison works")
    of_a_test_key = make_refused_speech(outsider, "A test of arsenic")
    Speech.objects.filter(pk=of_a_test_key.pk).update(is_test=True)
    make_speech(outsider, "failed", script="No arsenic here", error_code="provider_unavailable")
    report = refused_scripts.report()
    assert (report.refused, report.words[0], report.excerpts) == (2, SuspiciousWord("poison", 2, 0, 2), [])
    assert {"arsenic", "olive"}.isdisjoint(each.word for each in report.words)


def test_words_of_a_refused_speech_are_kept_for_the_report_and_shown_to_nobody_else(owner):
    speech = make_refused_speech(owner, "Please buy the poison")
    for age, left in ((timedelta(days=2), 1), (timedelta(days=89), 1), (timedelta(days=91), 0)):
        then = timezone.now() - age
        Speech.objects.update(created_at=then, expires_at=then + timedelta(days=1), due_at=then + timedelta(days=1))
        speech_expiry.clear_expired()
        assert Speech.objects.count() == left
        assert owner.client.get(f"/api/v1/speech/{speech.pk}").status_code == 404


def test_a_word_of_one_customer_alone_is_not_shown(owner, outsider):
    make_refused(owner, "Poison for Rumpelstiltskin")
    make_refused(outsider, "Poison for all")
    assert [each.word for each in words()] == ["for", "poison"]
    assert sorted(excerpts()) == [f"Poison for {CUT}"] * 2


def test_names_of_the_customer_numbers_and_addresses_are_cut(owner, outsider):
    script = "Olive from Films sells poison 4711 to ann@example.com via https://example.com/x and www.example.org"
    for person in (owner, outsider):
        make_refused(person, script)
    shown = f"{CUT} from {CUT} sells poison {CUT} to {CUT} via {CUT} and {CUT}"
    others = f"Olive from Films sells poison {CUT} to {CUT} via {CUT} and {CUT}"
    assert sorted(excerpts()) == sorted([shown, others])
    assert {"olive", "films", "4711", "ann@example.com"}.isdisjoint(each.word for each in words())


def test_an_excerpt_is_what_is_around_the_first_word_that_tells(owner, outsider):
    filler = " ".join(f"word{sign}" for sign in "abcdefghijklmnopqrstuvwxyzäöüß")
    for person in (owner, outsider):
        set_balance(person, 1000)
        make_refused(person, f"{filler} poison {filler}")
    make_video(owner, "completed", script=filler)
    (text, _) = excerpts()
    assert (text.split().index("poison"), len(text.split())) == (
        refused_scripts.WORDS_BEFORE + 1,
        refused_scripts.EXCERPT_WORDS + 2,
    )


def test_what_heygen_quotes_is_cut_from_its_words(owner):
    make_refused(owner, "Please buy the poison")
    assert refused_scripts.report().excerpts[0].said == f"content_policy_violation: {CUT} is not allowed."


def test_tests_other_failures_and_deleted_videos_are_no_part_of_it(owner, outsider):
    make_refused(owner, "poison", is_test=True)
    make_refused(owner, "poison", deleted_at="2026-01-01T00:00Z")
    make_video(outsider, "failed", script="poison", error_code="render_failed", provider_error=SAID)
    report = refused_scripts.report()
    assert (report.refused, report.words, report.excerpts) == (0, [], [])


def test_a_refusal_leaves_the_page_with_heygens_words(owner):
    make_refused(owner, "poison", completed_at="2026-01-01T00:00Z")
    before = len(excerpts())
    retention.clear_provider_texts()
    assert (before, excerpts()) == (1, [])


def page_of(*permissions: str) -> str:
    return str(employee(*permissions).get(reverse(PAGE)).content.decode())


def test_the_page_leads_to_a_new_rule_for_those_who_may_add_one(owner, outsider):
    for person in (owner, outsider):
        make_refused(person, "poison")
    link = f"{reverse('admin:accounts_moderationrule_add')}?kind=word&amp;text=poison"
    pages = [page_of(SEE_RULES), page_of(SEE_RULES, "add_moderationrule")]
    assert [link in page for page in pages] == [False, True]


def test_excerpts_are_for_those_who_see_videos(owner, outsider):
    for person in (owner, outsider):
        make_refused(person, "Please buy poison")
    pages = [page_of(SEE_RULES), page_of(SEE_RULES, "view_video")]
    assert [("Olive Films" in page, "Please buy poison" in page) for page in pages] == [(False, False), (True, True)]


def test_the_page_needs_the_permission_to_see_rules():
    answers = [employee(name).get(reverse(PAGE)).status_code for name in (SEE_RULES, "view_video")]
    assert answers == [200, 403]


def test_the_page_needs_as_many_queries_for_many_scripts_as_for_one(owner):
    staff = employee(SEE_RULES, "view_video", "add_moderationrule")
    make_refused(owner, "poison")
    one = queries_once_warm(lambda: staff.get(reverse(PAGE)))
    for _ in range(3):
        make_refused(make_caller(), "poison")
    assert queries_once_warm(lambda: staff.get(reverse(PAGE))) == one


def test_refused_scripts_are_found_by_index_among_many_speeches(owner):
    speech = make_speech(owner)
    copy_row(speech, 3_000, id="md5(n::text)::uuid", audio_id="NULL", idempotency_key="''")
    analyze(Speech)
    plan = plan_of(refused_scripts.report, Speech._meta.db_table)
    assert (plan.whole, plan.indexes) == ([], {"speech_refused"})


def test_refused_scripts_are_found_by_index_among_many_videos(owner):
    video = make_video(owner, "completed")
    copy_row(video, 3_000, id="md5(n::text)::uuid", provider_video_id="NULL", idempotency_key="NULL")
    make_refused(owner, "poison")
    analyze(Video)
    plan = plan_of(refused_scripts.report, Video._meta.db_table)
    assert (plan.whole, "video_words_old" in plan.indexes) == ([], True)

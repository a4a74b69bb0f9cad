"""Estimates of speech length, progress and expected time."""

from datetime import UTC, datetime, timedelta

import pytest

from genvid.tests.properties import assume, given, settings, st
from videos.enums import PROCESSING, Status
from videos.models import Video
from videos.queue import estimates

MAY = datetime(2026, 5, 1, tzinfo=UTC)
QUICK = settings(max_examples=60, deadline=None, derandomize=True)
seconds = st.floats(min_value=-60, max_value=10**7)
expected = st.integers(min_value=0, max_value=10**5)
words = st.lists(st.sampled_from(["hello", "world", "1984", "世界", "naïve", "—", "3.5%"]), min_size=1, max_size=60)
speeds = st.floats(min_value=0.5, max_value=1.5)


def make_unsaved_video(status: str = Status.RENDERING, expected: int = 100) -> Video:
    return Video(status=status, submitted_at=MAY, updated_at=MAY, expected_render_seconds=expected)


def progress(video: Video, elapsed: float) -> int:
    return estimates.progress_percent(video, MAY + timedelta(seconds=elapsed))


def eta(video: Video, elapsed: float, position: int | None = None) -> int | None:
    return estimates.eta_seconds(video, position, MAY + timedelta(seconds=elapsed))


# ── Length


@pytest.mark.parametrize(
    ("script", "length"),
    [
        ("Hello.", 2),
        ("Hello and welcome to our spring sale.", 4),
        ("word " * 150, 54),
        ("世" * 260, 61),
        ("世" * 26, 7),
        ("안녕하세요", 3),
        ("สวัสดี", 2),
        ("1984", 3),
        ('Hello <break time="3s"/> world', 5),
        ('Hello <break time="0.5s"/> world', 3),
        ('<break time="2s"/><break time="2s" />Hello', 6),
        ('Hello <break time="3000ms"/> world', 5),
    ],
)
def test_the_estimated_speech_length_of_a_script(script, length):
    assert estimates.spoken_seconds(script) == length


@QUICK
@given(words, speeds)
def test_another_word_never_shortens_the_estimated_speech(script, speed):
    lengths = [estimates.spoken_seconds(" ".join(script[:count]), speed=speed) for count in range(1, len(script) + 1)]
    assert lengths == sorted(lengths)


@QUICK
@given(words, speeds, speeds)
def test_a_higher_speed_never_lengthens_the_estimated_speech(script, one, other):
    slow, fast = sorted([one, other])
    text = " ".join(script)
    assert estimates.spoken_seconds(text, speed=fast) <= estimates.spoken_seconds(text, speed=slow)


@QUICK
@given(words, st.integers(min_value=0, max_value=60), speeds)
def test_a_pause_lasts_as_long_as_it_says_at_any_speed(script, pause, speed):
    text = " ".join(script)
    longer = estimates.spoken_seconds(f'{text} <break time="{pause}s"/>', speed=speed)
    assert longer - estimates.spoken_seconds(text, speed=speed) == pause


@QUICK
@given(st.text(max_size=200), speeds)
def test_any_text_has_an_estimated_speech_length(text, speed):
    assume("<break" not in text)
    assert estimates.spoken_seconds(text, speed=speed) >= 1


@pytest.mark.parametrize("script", ["a", "Hello.", "7", "世", "é", '<break time="1s"/>a', "…!a"])
def test_a_text_with_an_alphanumeric_character_is_speakable(script):
    assert estimates.is_speakable(script) is True


@pytest.mark.parametrize("script", ["", " \n", "?!…", "🎉", '<break time="1s"/>', "\u200b", "— …"])
def test_a_text_without_alphanumeric_characters_is_not_speakable(script):
    assert estimates.is_speakable(script) is False


@pytest.mark.parametrize(("length", "render"), [(0, 120), (1, 126), (4, 144), (0.1, 121)])
def test_rendering_takes_a_fixed_time_and_some_for_each_second(length, render):
    assert estimates.default_render_seconds(length) == render


# ── Progress


@QUICK
@given(st.sampled_from(sorted(PROCESSING)), expected, st.lists(seconds, min_size=2, max_size=20))
def test_progress_never_falls_as_time_passes(status, expected, moments):
    video = make_unsaved_video(status, expected)
    shown = [progress(video, moment) for moment in sorted(moments)]
    assert shown == sorted(shown)


@QUICK
@given(expected, st.lists(seconds, min_size=5, max_size=5))
def test_progress_never_falls_from_step_to_step(expected, moments):
    steps = [Status.QUEUED, Status.SUBMITTING, Status.RENDERING, Status.STORING, Status.COMPLETED]
    pairs = zip(steps, sorted(moments), strict=True)
    shown = [progress(make_unsaved_video(step, expected), moment) for step, moment in pairs]
    assert shown == sorted(shown)


@QUICK
@given(st.sampled_from(Status), expected, seconds)
def test_progress_is_a_percentage_and_100_for_the_completed_alone(status, expected, moment):
    shown = progress(make_unsaved_video(status, expected), moment)
    assert 0 <= shown <= 100
    assert (shown == 100) == (status == Status.COMPLETED)


@pytest.mark.parametrize("status", ["draft", "queued", "failed", "canceled"])
def test_a_video_that_is_not_being_made_shows_no_progress(status):
    assert progress(make_unsaved_video(status), 50) == 0


@pytest.mark.parametrize(("elapsed", "shown"), [(0, 1), (10, 14), (50, 55), (100, 79), (200, 95), (10**6, 98)])
def test_progress_slows_down_towards_the_end(elapsed, shown):
    assert progress(make_unsaved_video(), elapsed) == shown


def test_a_video_that_is_being_stored_shows_nearly_full_progress():
    assert progress(make_unsaved_video(Status.STORING), 0) == 99


def test_an_order_that_was_never_placed_shows_no_progress():
    assert estimates.progress_percent(Video(status=Status.RENDERING, updated_at=MAY)) == 0


# ── Arrival


@QUICK
@given(st.sampled_from(sorted(PROCESSING)), expected, st.lists(seconds, min_size=2, max_size=20))
def test_the_time_left_never_grows_and_never_ends_before_the_video(status, expected, moments):
    video = make_unsaved_video(status, expected)
    left = [eta(video, moment) for moment in sorted(moments)]
    assert left == sorted(left, reverse=True)
    assert min(left) >= 1


@pytest.mark.parametrize(("elapsed", "left"), [(0, 100), (30, 70), (95, 10), (500, 10)])
def test_the_time_left_follows_the_clock(elapsed, left):
    assert eta(make_unsaved_video(), elapsed) == left


@pytest.mark.parametrize(("position", "left"), [(1, 100), (10, 100), (11, 200), (21, 300)])
def test_the_expected_wait_grows_with_each_round_of_slots(position, left):
    assert eta(make_unsaved_video(Status.QUEUED), 0, position) == left


@pytest.mark.parametrize("status", ["draft", "queued", "completed", "failed", "canceled"])
def test_a_video_that_is_not_being_made_has_no_expected_time(status):
    assert eta(make_unsaved_video(status), 0) is None

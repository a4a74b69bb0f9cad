# ruff: noqa: RUF001 - letters and punctuation of every script
"""The credits that a script holds, compared with measured lengths of speech.

The passages of `spoken_lengths.json` have the same content. They and the lengths below were spoken by the voices of the
sandbox's renderer (espeak in the language of the passage, and its English voice), without the silence around them.
"""

import json
import math
from decimal import Decimal
from pathlib import Path

import pytest

from genvid.sandbox.renderer.speech import speak
from genvid.sandbox.renderer.voice_profiles import VOICES
from genvid.tests.properties import given, settings, st
from videos.queue import estimates
from videos.speech.length import length_of
from videos.speech.rates import RATES
from videos.speech.writing import CLASSES, LATIN, OTHER, scripts_of

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
PASSAGES = json.loads((Path(__file__).parent / "spoken_lengths.json").read_text())
NAMES = [passage["language"] for passage in PASSAGES]
HELLOS = ["hello"] * 200
JOINED = {
    " ": 84.7,
    ",": 95.4,
    "-": 66.5,
    "/": 111.4,
    ".": 95.3,
    "—": 95.3,
    "–": 53.5,
    "_": 84.8,
    ":": 123.9,
    "|": 53.8,
    "\u00a0": 60.2,
    "\n": 60.2,
    "*": 132.2,
    "~": 116.2,
    "\\": 142.5,
    "·": 53.4,
    "…": 134.2,
    "!": 149.4,
    "(": 84.7,
    '"': 84.7,
    "→": 137.8,
    "、": 117.7,
    ", ": 117.7,
}
"""Seconds that 200 hellos took, by what stood between them."""
UNHEARD = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "'", "’"]
"""Joiners of no width, and those inside words: a synthesiser may make one long word of them."""
NAMED = {"+": 104.3, "&": 100.8, "@": 102.5, "#": 103.8, "=": 159.1}
"""Signs that are read aloud, so that 200 hellos are more than 200 words."""
CONSTRUCTED = [
    ("a" * 4990, 291.1),
    ("hello" * 200, 54.5),
    ("1984 " * 100, 110.3),
    ("$1,234.50 " * 100, 372.0),
    ("1" * 500, 115.3),
    ("7 " * 500, 134.7),
    ("+1-555-010-2030 " * 50, 98.0),
    ("2026-05-31 " * 50, 80.3),
    ("10:45 " * 50, 46.1),
    ("3.5% " * 100, 82.4),
    ("https://www.example.com/path/page.html?x=1 " * 20, 128.9),
    ("ada.lovelace@example.com " * 20, 44.3),
    ("HTML " * 100, 100.9),
    ("a " + "🎉 " * 50, 33.6),
    ("a " + "👨‍👩‍👧‍👦 " * 50, 44.4),
]


def held(script: str, language: str = "English", factor: str = "1") -> float:
    return float(estimates.seconds_to_hold(script, speed=1.0, language=language, factor=Decimal(factor)))


@pytest.mark.parametrize("passage", PASSAGES, ids=NAMES)
def test_every_language_is_estimated_by_its_own_writing_system(passage):
    expected = length_of(passage["script"], language=passage["language"]).expected
    assert 0.85 <= expected / passage["seconds"] <= 1.65
    assert held(passage["script"], passage["language"]) >= passage["seconds"]


@pytest.mark.parametrize("passage", PASSAGES, ids=NAMES)
def test_a_voice_that_spells_a_foreign_script_is_held_at_that(passage):
    assert held(passage["script"]) >= passage["english_voice_seconds"]


@pytest.mark.parametrize("passage", PASSAGES, ids=NAMES)
def test_a_multilingual_voice_is_held_at_no_more_than_its_own_language(passage):
    script = passage["script"]
    assert length_of(script, language="Multilingual").at_most < length_of(script).expected * 1.5


@pytest.mark.parametrize("joiner", [*JOINED, *UNHEARD], ids=ascii)
def test_words_are_counted_whatever_joins_them(joiner):
    assert 80 <= estimates.spoken_seconds(joiner.join(HELLOS), language="English") <= 110


@pytest.mark.parametrize(("joiner", "seconds"), [*JOINED.items(), *NAMED.items()], ids=ascii)
def test_joined_words_are_held_for_what_they_take(joiner, seconds):
    assert seconds <= held(joiner.join(HELLOS)) <= 245


def test_words_that_only_capitals_part_are_counted():
    assert 80 <= estimates.spoken_seconds("Hello" * 200) <= 110


@pytest.mark.parametrize(("script", "seconds"), CONSTRUCTED)
def test_numbers_addresses_and_signs_are_held_for_what_they_take(script, seconds):
    assert held(script) >= seconds
    assert length_of(script).expected <= 2.2 * seconds


@pytest.mark.parametrize(
    "character", ["a", "z", "A", "é", "я", "α", "ب", "अ", "ก", "世", "あ", "한", "አ", "ა", "𐎀", "ﷺ"]
)
def test_characters_take_time_however_long_their_words_are(character):
    length = length_of(character * 500, language="Multilingual")
    assert 500 / 14 <= length.expected <= length.at_most <= 500 * 2.5


def test_five_thousand_characters_without_a_space_take_minutes():
    length = length_of("a" * 4990, language="English")
    assert 330 <= length.expected <= 420
    assert held("a" * 4990) >= 600


def test_every_writing_system_has_a_rate():
    assert set(RATES) == {*CLASSES, OTHER}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("nasa", "NTSB"),
        ("to go", "TO GO home"),
        ("hello", "hello" + "\u0301" * 9 + " you"),
        ("<3", "< 3 =="),
        ("word", "word.word"),
    ],
)
def test_a_longer_script_is_held_for_longer(short, long):
    assert length_of(short).expected < length_of(long).expected


@pytest.mark.parametrize(
    "noise", ["\u0301" * 3000, "!" * 3000, "#" * 3000, "-" * 3000, " " * 3000, "\u200b" * 3000, "." * 3000]
)
def test_text_that_is_not_spoken_holds_nothing(noise):
    assert length_of("hello" + noise).at_most - length_of("hello").at_most <= 1


def test_a_text_in_capitals_is_not_spelled():
    assert length_of("THE CATS AND DOGS GO HOME").expected == length_of("the cats and dogs go home").expected


def test_a_pause_adds_its_length_to_estimate_and_bound():
    plain, paused = length_of("hello you"), length_of('hello <break time="2.5s"/> you')
    assert paused.expected - plain.expected == pytest.approx(2.5)
    assert paused.at_most - plain.at_most == pytest.approx(2.5)


@QUICK
@given(st.text(max_size=300), st.sampled_from(["", "English", "Chinese", "Multilingual", "Arabic"]))
def test_the_estimate_is_never_above_the_bound(text, language):
    length = length_of(text, language=language)
    assert 1.0 <= length.expected <= length.at_most


@QUICK
@given(st.text(min_size=1, max_size=300), st.floats(min_value=0.5, max_value=1.5))
def test_the_hold_covers_the_estimate(text, speed):
    seconds = estimates.spoken_seconds(text, speed=speed)
    hold = estimates.seconds_to_hold(text, speed=speed, language="English", factor=Decimal(1))
    assert hold >= min(seconds, estimates.MAX_SECONDS)


def test_no_hold_exceeds_the_longest_video_and_its_margin():
    assert held("1" * 5000, factor="2") == 1.25 * estimates.MAX_SECONDS


def test_a_plain_script_is_held_at_its_estimate_with_the_margin():
    script = "Welcome to our spring sale, everybody. " * 10
    assert held(script) == 1.25 * estimates.spoken_seconds(script, language="English")


def test_the_safety_factor_multiplies_the_held_credits():
    assert held("Welcome to our spring sale.", factor="1.6") == 1.6 * held("Welcome to our spring sale.")


@pytest.mark.parametrize(
    ("voice", "scripts"),
    [
        ("English", {LATIN}),
        ("English (US)", {LATIN}),
        ("Chinese (Mandarin)", {"chinese characters"}),
        ("Japanese", {"chinese characters", "kana"}),
        ("Arabic", {"arabic"}),
        ("Hindi", {"devanagari"}),
        ("Filipino", {LATIN}),
        ("Thai", {"thai"}),
        ("Multilingual", None),
        ("", None),
        ("Klingon", None),
    ],
)
def test_the_writing_systems_that_a_voice_reads(voice, scripts):
    assert scripts_of(voice) == scripts


@pytest.mark.parametrize(
    "script",
    ["hello_hello_hello_hello", "one/two/three/four", "Call +1 555 010 2030.", "It costs $1,234.50 today.", "10:45"],
)
def test_the_renderers_own_voice_keeps_within_the_hold(script):
    assert speak(script, VOICES["arthur"]).duration <= math.ceil(held(script))

"""What a rule finds in a text: whole words in any script, what looks alike, and patterns that may not take long."""
# ruff: noqa: RUF001 - letters that look alike are the data here

import pytest

from accounts.enums import Strictness
from accounts.moderation import matching
from accounts.moderation.matching import PatternRefused, Rule, RuleBook, Watch, rule_book
from accounts.moderation.normalisation import plain

ZERO_WIDTH, JOINER, SOFT_HYPHEN, OVERRIDE, OVERLAY = "\u200b", "\u200d", "\u00ad", "\u202e", "\u0336"


def rule(text: str, kind: str = "word", *, number: int = 1, outcome: str = "refuse", strictness: str = "standard"):
    return Rule(number, kind, text, "No.", outcome, strictness)


def found(rules: Rule | tuple[Rule, ...], text: str, strictness: Strictness = Strictness.STANDARD) -> list[str]:
    book = RuleBook(rules if isinstance(rules, tuple) else (rules,))
    return [each.rule.text for each in book.matcher(strictness).findings(text, Watch(1)) if each.rule]


# ── Words


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("bad", "This is bad."),
        ("bad", "BAD"),
        ("bad", "a bad's life"),
        ("bad", "so_bad_it"),
        ("bad", "bad-tempered"),
        ("bad", "买bad了"),
        ("kill you", "I kill\n  you"),
        ("straße", "STRASSE"),
        ("плохо", "Это плохо!"),
        ("悪い", "とても悪い人"),
        ("ระเบิด", "ทำระเบิดเอง"),
        ("학교", "학교는 멀다"),
        ("كلب", "هذا كَلْب كبير"),
        ("שלום", "שָׁלוֹם לך"),
        ("बम", "यह बम है"),
        ("c++", "I like C++!"),
    ],
)
def test_a_word_is_found(word, text):
    assert found(rule(word), text) == [word]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("bad", "badminton, forbad"),
        ("bad", "b a d"),
        ("ano", "Feliz año"),
        ("पि", "पिता"),
        ("बम", "बमबारी"),
        ("학교", "초등학교"),
        ("пост", "постер"),
        ("bad", "рост"),
        ("ばか", "はか"),
    ],
)
def test_a_part_of_another_word_is_not_found(word, text):
    assert found(rule(word), text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"b{ZERO_WIDTH}a{JOINER}d",
        f"b{SOFT_HYPHEN}ad",
        f"{OVERRIDE}bad",
        f"b{OVERLAY}a{OVERLAY}d{OVERLAY}",
        "ｂａｄ",
        "𝐛𝐚𝐝",
        "ⓑⓐⓓ",
        "bаd",
        "Ьаd",
        "bαd",
        "b\u3164ad",
        "b\U000e0061ad",
    ],
    ids=ascii,
)
def test_a_word_is_found_under_its_disguise(text):
    assert found(rule("bad"), text) == ["bad"]


@pytest.mark.parametrize("text", ["bád", "b4d", "ba\u0308d", "b@d", "ЬАD"], ids=ascii)
def test_accents_and_signs_are_seen_through_for_strict_accounts(text):
    assert found(rule("bad"), text, Strictness.STRICT) == ["bad"]


@pytest.mark.parametrize("text", ["bád", "b4d", "ba\u0308d", "b@d"], ids=ascii)
def test_accents_and_signs_make_other_words_for_other_accounts(text):
    assert found(rule("bad"), text) == []


def test_a_word_of_another_script_is_left_as_it_is():
    assert (plain("ПОСТ и дом"), plain("Φως")) == ("пост и дом", "φωσ")


def test_all_rules_are_told_not_the_first_alone():
    rules = (rule("bad"), rule("bad man", number=2), rule("man", number=3))
    assert found(rules, "A bad man.") == ["bad", "bad man", "man"]


def test_rules_for_strict_accounts_hold_for_them_alone():
    rules = (rule("bad"), rule("daft", number=2, strictness="strict"))
    text = "bad and daft"
    assert (found(rules, text), found(rules, text, Strictness.STRICT)) == (["bad"], ["bad", "daft"])


def test_a_word_of_nothing_but_invisible_characters_finds_nothing():
    assert found(rule(ZERO_WIDTH), "anything") == []


def test_nothing_is_found_in_a_text_of_nothing():
    assert found((rule("bad"), rule("bad|^$", "pattern", number=2)), ZERO_WIDTH) == []


# ── Patterns


def test_a_pattern_is_searched_in_the_text_without_disguise():
    assert found(rule(r"kill\s+\w+", "pattern"), f"KI{ZERO_WIDTH}LL  Bill") == [r"kill\s+\w+"]


def test_a_pattern_may_be_in_capitals():
    assert found(rule(r"\bKILL\b", "pattern"), "I kill") == [r"\bKILL\b"]


def test_a_pattern_that_takes_too_long_gives_the_text_to_staff():
    slow = rule(r"(a+)+$", "pattern")
    watch = Watch(1)
    first, second = (
        list(RuleBook((slow,)).matcher(Strictness.STANDARD).findings("a" * 5000 + "!", watch)) for _ in "ab"
    )
    assert [(each.outcome, each.reason) for each in first] == [("review", matching.UNCHECKED)]
    assert (second, watch.slow) == (first, {slow.id})


def test_patterns_are_not_searched_when_the_time_of_the_call_is_over():
    moments = iter([0.0, 5.0])
    watch = Watch(1, seconds=4.0, clock=lambda: next(moments))
    (finding,) = RuleBook((rule("x", "pattern"),)).matcher(Strictness.STANDARD).findings("y", watch)
    assert (finding.outcome, finding.reason) == ("review", matching.UNCHECKED)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "[z-a]",
        "a{2}{3}",
        "(a+)+$",
        r"(\w+\s?)*z$",
        "(x+x+)+y$|x",
        "(é+)+$",
        "x*",
        "",
        "(a{1000}){1000}",
        "(?:" * 5000,
    ],
    ids=lambda pattern: pattern[:20] or "empty",
)
def test_a_pattern_that_is_broken_slow_huge_or_finds_everything_is_refused(pattern):
    with pytest.raises(PatternRefused):
        matching.check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", [r"\bkill\s+\w+", r"\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}", "(?<!not )bad", "ab+c|d{2,5}"]
)
def test_a_good_pattern_is_accepted(pattern):
    matching.check_pattern(pattern)


# ── What is compiled


def test_rules_that_are_read_again_unchanged_are_compiled_once():
    assert rule_book((rule("bad"),)) is rule_book((rule("bad"),))

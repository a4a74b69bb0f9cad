"""Which of the operator's rules a text breaks. No database here.

Words are found as whole words, in scripts with spaces; patterns are regular expressions, each with a time limit.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

import regex
import structlog

from accounts.enums import Outcome, RuleKind, Strictness
from accounts.moderation.normalisation import bare, plain
from genvid.metrics import Tally

logger = structlog.get_logger(__name__)
PATTERN_SECONDS = 0.05
"""Of one pattern on one text. A good one takes a thousandth of it."""
SECONDS_OF_CALL, SECONDS_PER_TEXT = 1.0, 0.01
"""Of all patterns on all texts of a request."""
MOST_REPETITIONS = 100_000
UNCHECKED = "It could not be checked in time."
COUNTED_REPEAT = regex.compile(r"\{(\d*)(?:,(\d*))?\}")
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Javanese}\p{Balinese}"
SPACED_SIGN = regex.compile(rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]", regex.V1)
"""Of a script that sets spaces between words."""
HANGUL = regex.compile(r"\p{Hangul}")
HARD_TEXTS = tuple(
    part * (5_000 // len(part)) + end
    for part in ("a", "ab", "a ", "1", "1 ", "x.", "-", "é", "字")
    for end in ("", "!", "\N{SNOWMAN}")
)
"""Texts on which patterns that backtrack without end do so."""
_slow_patterns = Tally("genvid_moderation_slow_patterns_total", "Patterns of rules that took too long on a text.")


class PatternRefused(ValueError):
    """A pattern that cannot be used, with the reason for staff."""


@dataclass(frozen=True)
class Rule:
    """The columns of a ModerationRule that decide."""

    id: int
    kind: str
    text: str
    reason: str
    outcome: str
    strictness: str


@dataclass(frozen=True)
class Finding:
    """`rule` is None for what the outside service says."""

    outcome: Outcome
    reason: str
    rule: Rule | None = None


class Watch:
    """The time that the patterns of one call may take together, and those that took too long in it."""

    def __init__(self, texts: int, *, seconds: float | None = None, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._until = clock() + (SECONDS_OF_CALL + SECONDS_PER_TEXT * texts if seconds is None else seconds)
        self.slow: set[int] = set()

    @property
    def left(self) -> float:
        return self._until - self._clock()


class Matcher:
    """The rules that hold at one strictness."""

    def __init__(self, rules: Sequence[Rule], *, is_strict: bool) -> None:
        self._is_strict = is_strict
        words = [rule for rule in rules if rule.kind == RuleKind.WORD]
        self._words = [(rule, forms) for rule in words if (forms := self._forms(rule.text))]
        self._patterns = [(rule, compiled(rule.text)) for rule in rules if rule.kind == RuleKind.PATTERN]

    def findings(self, text: str, watch: Watch) -> Iterator[Finding]:
        """All that speaks against `text`; refusals are not before reviews."""
        forms = self._forms(text)
        for rule, words in self._words:
            if any(stands_alone(word, form) for word, form in zip(words, forms, strict=False)):
                yield Finding(Outcome(rule.outcome), rule.reason, rule)
        for rule, pattern in self._patterns:
            yield from self._pattern_findings(rule, pattern, forms, watch)

    def _forms(self, text: str) -> tuple[str, ...]:
        """Empty where nothing is left of the text."""
        first = plain(text)
        return ((first, bare(text)) if self._is_strict else (first,)) if first else ()

    def _pattern_findings(
        self, rule: Rule, pattern: "regex.Pattern[str]", forms: Iterable[str], watch: Watch
    ) -> Iterator[Finding]:
        try:
            if any(_matches(rule, pattern, form, watch) for form in forms):
                yield Finding(Outcome(rule.outcome), rule.reason, rule)
        except TimeoutError:
            if rule.id not in watch.slow:
                watch.slow.add(rule.id)
                _slow_patterns.add()
                logger.warning("moderation_pattern_slow", rule_id=rule.id)
            # Passed, a text that makes a pattern slow would go round it.
            yield Finding(Outcome.REVIEW, UNCHECKED, rule)


def _matches(rule: Rule, pattern: "regex.Pattern[str]", text: str, watch: Watch) -> bool:
    if rule.id in watch.slow or watch.left <= 0:
        raise TimeoutError
    return pattern.search(text, timeout=min(PATTERN_SECONDS, watch.left), concurrent=True) is not None


@dataclass(frozen=True)
class RuleBook:
    """All active rules."""

    rules: tuple[Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def matcher(self, strictness: Strictness) -> Matcher:
        return self._strict if strictness == Strictness.STRICT else self._standard

    @cached_property
    def _standard(self) -> Matcher:
        standard = [rule for rule in self.rules if rule.strictness == Strictness.STANDARD]
        return Matcher(standard, is_strict=False)

    @cached_property
    def _strict(self) -> Matcher:
        return Matcher(self.rules, is_strict=True)


@lru_cache(maxsize=2)
def rule_book(rules: tuple[Rule, ...]) -> RuleBook:
    """Cached, so that what is read again every few seconds is compiled once."""
    return RuleBook(rules)


def stands_alone(word: str, text: str) -> bool:
    """Whether `text` has `word` as a whole word. In scripts without spaces any occurrence is one, and Korean words may
    go on after it, as particles are written together with them."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if _is_boundary(text, start) and (_is_boundary(text, end) or HANGUL.match(text, end - 1)):
            return True
        start = text.find(word, start + 1)
    return False


def _is_boundary(text: str, at: int) -> bool:
    return not (0 < at < len(text) and SPACED_SIGN.match(text, at - 1) and SPACED_SIGN.match(text, at))


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> "regex.Pattern[str]":
    """Raises PatternRefused. Counted repetitions are bounded before: the compiler writes them out in memory."""
    if _repetitions(pattern) > MOST_REPETITIONS:
        raise PatternRefused("It repeats too much: multiply the largest number of each {…}.")
    try:
        return regex.compile(pattern, regex.IGNORECASE | regex.VERSION0)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise PatternRefused(f"It is no regular expression: {error}") from None


def check_pattern(pattern: str) -> None:
    """Raises PatternRefused for one that cannot be compiled, matches nothing at all, or is slow on hard texts."""
    found = compiled(pattern)
    if found.search("") is not None:
        raise PatternRefused("It matches every text.")
    try:
        for text in chain(HARD_TEXTS, _spelled_out(pattern)):
            found.search(text, timeout=PATTERN_SECONDS, concurrent=True)
    except TimeoutError:
        raise PatternRefused("It takes too long on some texts: avoid repetitions inside repetitions.") from None


def _spelled_out(pattern: str) -> list[str]:
    """Texts of the letters that the pattern names, together and each alone, over and over: what it repeats is there."""
    signs = "".join(dict.fromkeys(regex.findall(r"\w", pattern)))[:20]
    return [part * (5_000 // len(part)) + "!" for part in (signs, *signs) if part]


def _repetitions(pattern: str) -> int:
    product = 1
    for least, most in COUNTED_REPEAT.findall(pattern):
        product *= max(1, int(most or 0), int(least or 0))
        if product > MOST_REPETITIONS:
            break
    return product

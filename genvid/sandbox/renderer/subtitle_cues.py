"""Words gathered into the cues of a subtitle file, which the burnt-in captions follow too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from genvid.sandbox.renderer.timeline import Word, later

LINE_LENGTH = 40  # characters
PHRASE_WORDS = 5  # a comma ends a cue of at least so many words

CLOSING_MARKS = "\"')\u201d\u2019"

Line = tuple[Word, ...]


@dataclass(frozen=True)
class Cue:
    lines: tuple[Line, ...]

    @property
    def words(self) -> list[Word]:
        return [word for line in self.lines for word in line]

    @property
    def start(self) -> float:
        return self.words[0].start

    @property
    def end(self) -> float:
        return self.words[-1].end

    @property
    def text(self) -> str:
        return "\n".join(joined(line) for line in self.lines)

    def delayed(self, seconds: float) -> "Cue":
        return Cue(tuple(tuple(later(word, seconds) for word in line) for line in self.lines))


def joined(words: Iterable[Word]) -> str:
    return " ".join(word.text for word in words)


def cues_of(words: Iterable[Word], line_length: int = LINE_LENGTH) -> list[Cue]:
    cues: list[Cue] = []
    gathered: list[Word] = []
    for word in words:
        if gathered and len(joined([*gathered, word])) > 1.85 * line_length:
            cues.append(_cue(gathered, line_length))
            gathered = []
        gathered.append(word)
        if _ends_cue(word, len(gathered)):
            cues.append(_cue(gathered, line_length))
            gathered = []
    return [*cues, _cue(gathered, line_length)] if gathered else cues


def write_srt(cues: Sequence[Cue], path: Path) -> None:
    blocks = [
        f"{number}\n{_stamp(cue.start)} --> {_stamp(cue.end)}\n{cue.text}\n" for number, cue in enumerate(cues, start=1)
    ]
    path.write_text("\n".join(blocks), encoding="utf-8")


def _ends_cue(word: Word, position: int) -> bool:
    last = word.text.rstrip(CLOSING_MARKS)[-1:]
    return last in set(".!?…") or (last in set(",;:") and position >= PHRASE_WORDS)


def _cue(words: Sequence[Word], line_length: int) -> Cue:
    if len(words) == 1 or len(joined(words)) <= line_length:
        return Cue((tuple(words),))

    def unevenness(cut: int) -> int:
        return abs(len(joined(words[:cut])) - len(joined(words[cut:])))

    cut = min(range(1, len(words)), key=unevenness)
    return Cue((tuple(words[:cut]), tuple(words[cut:])))


def _stamp(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d},{rest % 1000:03d}"

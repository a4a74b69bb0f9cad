"""Parses the Dockerfile and .dockerignore. Supports what ours use; anything else raises `ValueError`."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

KNOWN = {"ARG", "ENV", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}


@dataclass(frozen=True)
class Step:
    word: str
    value: str

    def __str__(self) -> str:
        return f"{self.word} {self.value}"

    def pairs(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in shlex.split(self.value))

    def command(self) -> list[str]:
        words = json.loads(self.value[self.value.index("[") :])
        return [str(word) for word in words]

    def copied(self) -> tuple[list[str], str, str]:
        """Of COPY: the sources, the target, and the stage they come from ("" is the build context)."""
        words = shlex.split(self.value)
        stage = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
        if any(word.startswith("--") or "*" in word for word in words):
            raise ValueError(f"not understood here: {self}")
        return words[:-1], words[-1], stage


@dataclass
class Stage:
    name: str
    steps: list[Step] = field(default_factory=list)


def parse_dockerfile(text: str) -> list[Stage]:
    stages: list[Stage] = []
    for line in _joined_lines(text):
        word, value = line.split(maxsplit=1)
        if word == "FROM":
            stages.append(Stage(value.partition(" AS ")[2]))
        elif word in KNOWN and stages and not (word == "ARG" and "=" in value):
            stages[-1].steps.append(Step(word, value))
        else:
            raise ValueError(f"not understood here: {line}")
    return stages


def _joined_lines(text: str) -> Iterator[str]:
    lines = (line.rstrip() for line in text.splitlines() if not line.lstrip().startswith("#"))
    yield from filter(None, "\n".join(lines).replace("\\\n", " ").splitlines())


class Context:
    def __init__(self, root: Path, ignore: str) -> None:
        self.root = root
        lines = (line.strip() for line in ignore.splitlines())
        self.rules = [_rule(line) for line in lines if line and not line.startswith("#")]

    def has(self, path: str) -> bool:
        wanted = True
        for pattern, kept in self.rules:
            if pattern.fullmatch(path):
                wanted = kept
        return wanted

    def files(self, source: str) -> list[str]:
        top = self.root / source
        found = [top] if top.is_file() else [path for path in top.rglob("*") if path.is_file()]
        paths = sorted(path.relative_to(self.root).as_posix() for path in found)
        if not (kept := [path for path in paths if self.has(path)]):
            raise ValueError(f"COPY {source}: no such file, or .dockerignore keeps it out")
        return kept


def _rule(line: str) -> tuple[re.Pattern[str], bool]:
    pattern = PurePosixPath(line.removeprefix("!")).as_posix()
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", pattern)
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = "".join(signs.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts)
    return re.compile(f"{expression}(?:/.*)?"), line.startswith("!")

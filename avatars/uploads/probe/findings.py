"""What a probe finds, and why it refuses a file."""

from dataclasses import asdict, dataclass, field
from typing import Any


class Unusable(Exception):
    """`reason` is one of a few words, for metrics; the text is for the customer."""

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        super().__init__(text)


@dataclass
class Findings:
    """Of the clean copy. `milliseconds` is counted from what was decoded or read, never taken from a header."""

    kind: str
    content_type: str
    suffix: str
    width: int | None = None
    height: int | None = None
    milliseconds: int | None = None
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

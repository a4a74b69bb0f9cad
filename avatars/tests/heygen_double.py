"""Test double of the HeyGen client: lists the given looks and voices, and may fail midway."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from genvid.heygen.heygen_errors import Unknown
from genvid.heygen.heygen_types import Look, RemoteVoice


@dataclass
class HeyGenDouble:
    looks: list[Look] = field(default_factory=list)
    voices: list[RemoteVoice] = field(default_factory=list)
    break_looks_after: int | None = None
    break_voices_after: int | None = None

    def iter_looks(self) -> Iterator[Look]:
        yield from listed(self.looks, self.break_looks_after)

    def iter_voices(self) -> Iterator[RemoteVoice]:
        yield from listed(self.voices, self.break_voices_after)


def listed(rows: list[Any], limit: int | None) -> Iterator[Any]:
    for number, row in enumerate(rows):
        if number == limit:
            raise Unknown("unreadable", "the list broke off")
        yield row


def look(id: str = "look_1", **fields: Any) -> Look:  # noqa: A002 - HeyGen's word
    given = {"name": f"Name of {id}", "kind": "studio_avatar", "default_voice_id": "voice_1"}
    return Look(id=id, **given | fields)


def voice(id: str = "voice_1", **fields: Any) -> RemoteVoice:  # noqa: A002 - HeyGen's word
    return RemoteVoice(id=id, **{"name": f"Name of {id}", "language": "English"} | fields)

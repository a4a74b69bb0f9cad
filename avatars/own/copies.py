"""What HeyGen has of our customers: its private looks, groups and voices whose names begin with our marker."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from avatars.enums import CreationKind
from avatars.models import Creation
from avatars.models.own import MARKER
from genvid.heygen.avatar_making import AvatarMaker

_NAME = re.compile(rf"{MARKER} ([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})(?: (\d+))?")


@dataclass(frozen=True)
class Copy:
    object_id: str
    group_id: str = ""


@dataclass(frozen=True)
class NamedCopy:
    copy: Copy
    creation_id: UUID
    is_voice: bool
    name: str


def creation_id_in(name: str) -> UUID | None:
    """The id of the creation in a name at HeyGen; None for what is not ours."""
    found = _NAME.fullmatch(name.strip())
    return UUID(found[1]) if found else None


def find(creation: Creation, maker: AvatarMaker) -> Copy | None:
    """The copy that the present order made, by its name. None while HeyGen shows none."""
    named = _voices(maker) if creation.kind == CreationKind.VOICE_CLONE else _looks(maker)
    return next((each.copy for each in named if each.name == creation.name_at_provider), None)


def all_of(creation: Creation, maker: AvatarMaker) -> list[Copy]:
    """All copies, of earlier orders too. Reads the whole list of HeyGen."""
    named = _voices(maker) if creation.kind == CreationKind.VOICE_CLONE else _looks(maker)
    return [each.copy for each in named if each.creation_id == creation.pk]


def iter_all(maker: AvatarMaker) -> Iterator[NamedCopy]:
    yield from _looks(maker)
    yield from _voices(maker)


def _looks(maker: AvatarMaker) -> Iterator[NamedCopy]:
    """By the name of the look or of its group: HeyGen does not say that both keep the name that they were given."""
    groups = {group.id: group.name for group in maker.iter_private_groups() if creation_id_in(group.name)}
    for made in maker.iter_private_looks():
        look, group_id = made.look, made.look.group_id or ""
        name = look.name if creation_id_in(look.name) else groups.get(group_id, "")
        creation_id = creation_id_in(name)
        if creation_id is not None and look.id:
            yield NamedCopy(Copy(look.id, group_id), creation_id, False, name.strip())


def _voices(maker: AvatarMaker) -> Iterator[NamedCopy]:
    for made in maker.iter_private_voices():
        creation_id = creation_id_in(made.voice.name)
        if creation_id is not None and made.voice.id:
            yield NamedCopy(Copy(made.voice.id), creation_id, True, made.voice.name.strip())


def delete(copy: Copy, maker: AvatarMaker, *, is_voice: bool) -> None:
    """Delete a voice, or a look with its group. What HeyGen does not know counts as deleted."""
    if is_voice:
        maker.delete_voice(copy.object_id)
        return
    maker.delete_look(copy.object_id)
    if copy.group_id:
        maker.delete_group(copy.group_id)

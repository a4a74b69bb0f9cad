"""Tag avatar: groups and their looks, public ones and the account's own."""

import re
import secrets
import time
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from genvid.sandbox.api_errors import ApiError, refuse
from genvid.sandbox.heygen import looks_and_voices, made_objects, media_input, paging
from genvid.sandbox.heygen.dispatch import Call, Operation, Reply
from genvid.sandbox.heygen.looks_and_voices import Look
from genvid.sandbox.heygen.wallet import AVATAR_CREATION
from genvid.sandbox.renderer.personas import PERSONAS

GROUP, LOOK = "/v3/avatars/{group_id}", "/v3/avatars/looks/{look_id}"
CONSENT_DAY = 24 * 3600


async def list_groups(call: Call) -> Reply:
    groups: dict[str, list[Look]] = {}
    for look in _owned(call):
        groups.setdefault(look.group_id, []).append(look)
    items = [(members[0].seq, members) for members in groups.values()]
    return paging.page(call, items, lambda members: show_group(call, members))


async def get_group(call: Call) -> Reply:
    return Reply(show_group(call, looks_and_voices.group(call.core.store, call.path["group_id"])))


async def delete_group(call: Call) -> Reply:
    members = looks_and_voices.group(call.core.store, call.path["group_id"])
    _refuse_public(members[0])
    call.core.store.run("DELETE FROM looks WHERE group_id = ?", members[0].group_id)
    return Reply({"id": members[0].group_id})


async def list_looks(call: Call) -> Reply:
    group, kind = call.query["group_id"], call.query["avatar_type"]
    wanted = [(look.seq, look) for look in _owned(call) if group in (None, look.group_id) and kind in (None, look.kind)]
    return paging.page(call, wanted, lambda look: show_look(call, look))


async def get_look(call: Call) -> Reply:
    return Reply(show_look(call, looks_and_voices.find_look(call.core.store, call.path["look_id"])))


async def rename_look(call: Call) -> Reply:
    look = looks_and_voices.find_look(call.core.store, call.path["look_id"])
    _refuse_public(look)
    if call.body.get("name"):
        call.core.store.run("UPDATE looks SET name = ? WHERE id = ?", call.body["name"], look.id)
    return Reply(show_look(call, looks_and_voices.find_look(call.core.store, look.id)))


async def delete_look(call: Call) -> Reply:
    look = looks_and_voices.find_look(call.core.store, call.path["look_id"])
    _refuse_public(look)
    call.core.store.run("DELETE FROM looks WHERE id = ?", look.id)
    return Reply({"id": look.id})


async def create(call: Call) -> Reply:
    """A photo becomes a look that speaks as that photo; the other kinds borrow a persona."""
    core = call.core
    looks_and_voices.refuse_when_full(core.store, core.settings.current.most_own)
    group_id = _group_for(call)
    image = await _image_for(call)
    width, height = _picture_size(core.links.asset(image)) if image else looks_and_voices.SIZES["landscape"]
    data: dict[str, Any] = {}
    return Reply(data, action=partial(_add_look, call, data, group_id, image, (width, height)))


def _add_look(call: Call, data: dict[str, Any], group_id: str, image: str | None, size: tuple[int, int]) -> None:
    """Writes the answer into `data`."""
    kind, core, now, look_id = call.body["type"], call.core, time.time(), secrets.token_hex(16)
    name, failure = call.body["name"], looks_and_voices.drawn_failure(core.settings)
    core.store.add(
        "looks",
        id=look_id,
        group_id=group_id,
        name=name,
        kind="digital_twin" if kind == "digital_twin" else "photo_avatar",
        persona=_persona_for(call.body),
        image=image,
        width=size[0],
        height=size[1],
        consent="pending" if kind == "digital_twin" else None,
        created_at=now,
        ready_at=now + core.settings.current.avatar_seconds,
        failure=failure,
        base=call.base,
    )
    charged = 0 if failure else AVATAR_CREATION
    core.wallet.charge(charged)
    made_objects.record(call, "look", look_id, name=name, group_id=group_id, failure=failure, charged=charged)
    core.announce_looks()
    look = looks_and_voices.find_look(core.store, look_id)
    group = looks_and_voices.group(core.store, group_id)
    data |= {"avatar_item": show_look(call, look), "avatar_group": show_group(call, group)}


def _picture_size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, Image.DecompressionBombError):
        refuse("file", "The image cannot be read")


def _group_for(call: Call) -> str:
    group_id = call.body.get("avatar_group_id")
    if group_id is None:
        return secrets.token_hex(16)
    _refuse_public(looks_and_voices.group(call.core.store, group_id)[0])
    return str(group_id)


def _persona_for(body: dict[str, Any]) -> str:
    text = f"{body.get('prompt', '')} {body['name']}".lower()
    gender = "female" if re.search(r"\b(woman|female|girl|she|her)\b", text) else None
    if re.search(r"\b(man|male|boy|he|his)\b", text):
        gender = "male"
    keys = [persona.key for persona in PERSONAS.values() if gender in (None, persona.gender)]
    return keys[sum(text.encode()) % len(keys)]


async def _image_for(call: Call) -> str | None:
    body, core = call.body, call.core
    if body["type"] == "photo":
        return await media_input.local_file(core, body["file"], param="file", kind="image")
    if body["type"] == "digital_twin":
        await media_input.local_file(core, body["file"], param="file", kind="video")
    for number, reference in enumerate(body.get("reference_images") or []):
        await media_input.local_file(core, reference, param=f"reference_images.{number}", kind="image")
    return None


async def consent(call: Call) -> Reply:
    members = looks_and_voices.group(call.core.store, call.path["group_id"])
    _refuse_public(members[0])
    if re.search(r"[<>]", call.body.get("consent_text") or ""):
        refuse("consent_text", "consent_text must not contain < or >")
    if call.core.settings.current.consent_by_itself:
        call.core.give_consent(members[0].group_id)
    group = looks_and_voices.group(call.core.store, members[0].group_id)
    url = call.core.links.sign(call.base, f"consent/{group[0].group_id}", lifetime=CONSENT_DAY)
    return Reply({"avatar_group": show_group(call, group), "url": url})


def _owned(call: Call) -> list[Look]:
    ownership = call.query["ownership"]
    found = looks_and_voices.looks(call.core.store)
    return [look for look in found if ownership is None or look.private == (ownership == "private")]


def _refuse_public(look: Look) -> None:
    if not look.private:
        raise ApiError("resource_access_denied", "Public avatars cannot be changed")


def show_look(call: Call, look: Look) -> dict[str, Any]:
    return {
        "id": look.id,
        "name": look.name,
        "avatar_type": look.kind,
        "group_id": look.group_id,
        "gender": look.gender,
        "default_voice_id": look.voice_id,
        "preferred_orientation": look.orientation,
        "image_width": look.width if look.usable else None,
        "image_height": look.height if look.usable else None,
        **_previews(call, look),
        "supported_api_engines": look.engines,
        "tags": list(look.tags),
        "status": look.status,
        "error": look.error,
    }


def show_group(call: Call, members: list[Look]) -> dict[str, Any]:
    first = members[0]
    return {
        "id": first.group_id,
        "name": first.name.partition(",")[0],
        "created_at": int(first.created_at),
        "looks_count": len(members),
        "gender": first.gender,
        "default_voice_id": first.voice_id,
        **_previews(call, first),
        "status": first.status,
        "consent_status": first.consent,
        "error": first.error,
    }


def _previews(call: Call, look: Look) -> dict[str, str | None]:
    image = video = None
    if look.usable and look.image:
        image = call.core.links.permanent(call.base, f"assets/{look.image}")
    elif look.usable:
        image, video = (
            call.core.links.permanent(call.base, f"previews/{look.persona}.{kind}") for kind in ("jpg", "mp4")
        )
    return {"preview_image_url": image, "preview_video_url": video}


OPERATIONS = [
    Operation("POST", "/v3/avatars", create),
    Operation("GET", "/v3/avatars", list_groups),
    Operation("GET", "/v3/avatars/looks", list_looks),
    Operation("GET", LOOK, get_look),
    Operation("PATCH", LOOK, rename_look),
    Operation("DELETE", LOOK, delete_look),
    Operation("GET", GROUP, get_group),
    Operation("DELETE", GROUP, delete_group),
    Operation("POST", GROUP + "/consent", consent),
]

"""HeyGen's events and their payloads."""

import json
from typing import Any

from genvid.sandbox.heygen.heygen_sender import Event
from genvid.sandbox.signed_links import Links
from genvid.sandbox.store import Row

LINK_LIFETIME = 7 * 24 * 3600


def of_video(video: Row, links: Links) -> Event:
    if video["status"] == "failed":
        data = {"video_id": video["id"], "msg": video["failure_message"]}
        return _event("avatar_video.fail", video, data)
    files = json.loads(video["made"])["files"]
    urls = {kind: _link(video, links, name) for kind, name in files.items()}
    data = {
        "video_id": video["id"],
        # With captions burned in, the real one sends the captioned file here.
        "url": urls.get("captioned", urls["video"]),
        "gif_download_url": urls["gif"],
        "video_page_url": page_url(video),
        "video_share_page_url": f"{video['base']}/share/{video['id']}",
        "folder_id": video["folder_id"],
    }
    followers: tuple[Event, ...] = ()
    if json.loads(video["job"])["captions"]:
        caption = {"video_id": video["id"], "subtitle_url": urls["subtitles"], "url": data["url"]}
        followers = (_event("avatar_video_caption.success", video, caption),)
    return _event("avatar_video.success", video, data, followers)


def _event(kind: str, video: Row, data: dict[str, Any], followers: tuple[Event, ...] = ()) -> Event:
    data["callback_id"] = video["callback_id"]
    return Event(kind, data, video["id"], video["callback_url"], followers)


def _link(video: Row, links: Links, name: str) -> str:
    return links.sign(video["base"], f"videos/{video['id']}/{name}", lifetime=LINK_LIFETIME)


def page_url(video: Row) -> str:
    return f"{video['base']}/videos/{video['id']}"


def of_look(look: Row) -> Event:
    kind = "instant_avatar" if look["kind"] == "digital_twin" else "photo_avatar_generation"
    end = "fail" if look["failure"] else "success"
    return Event(f"{kind}.{end}", {"avatar_id": look["id"], "avatar_group_id": look["group_id"]}, look["id"])

"""The tasks of the render process. Tasks and results are plain JSON; files are named by their paths."""

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from genvid.sandbox.render_worker import montage
from genvid.sandbox.renderer.clip import render_canned, render_clip
from genvid.sandbox.renderer.job import Rendered, RenderJob, UnreadableMedia
from genvid.sandbox.renderer.previews import preview_image, preview_video, voice_sample
from genvid.sandbox.renderer.script import Unspeakable
from genvid.sandbox.renderer.speech import speak, write_wav
from genvid.sandbox.renderer.studio import render
from genvid.sandbox.renderer.voice_profiles import VOICES

log = logging.getLogger(__name__)
Result = dict[str, Any]


def perform(task: Result) -> Result:
    try:
        return TASKS[task["task"]](task)
    except Unspeakable as error:
        return {"error": "tts_text_invalid", "message": str(error)}
    except UnreadableMedia as error:
        return {"error": "download_failed", "message": str(error)}
    except Exception as error:
        log.exception("Task failed")
        return {"error": "rendering_failed", "message": f"{type(error).__name__}: {error}"}


def _video(task: Result) -> Result:
    folder = Path(task["folder"])
    scenes = [_scene(scene, folder / f"scene{number}", task) for number, scene in enumerate(task["scenes"])]
    made = scenes[0] if len(scenes) == 1 else montage.join(scenes, folder)
    paths = {"video": made.video, "captioned": made.captioned_video, "subtitles": made.subtitles}
    paths |= {"thumbnail": made.thumbnail, "gif": made.gif}
    files = {kind: str(path.relative_to(folder)) for kind, path in paths.items() if path is not None}
    return {"files": files, "duration": round(made.duration, 3)}


def _scene(scene: Result, folder: Path, task: Result) -> Rendered:
    media = {name: Path(scene[name]) for name in ("audio", "image", "backdrop") if scene.get(name)}
    job = RenderJob(**{**scene, **media})
    if task["renderer"] == "canned":
        return render_canned(job, folder, Path(task["canned_folder"]))
    return render_clip(job, folder) if task["renderer"] == "clip" else render(job, folder)


def _draw(draw: Callable[[str, Path], None], task: Result) -> Result:
    """Draws into another file and renames it, so that nobody is served half a picture."""
    path = Path(task["path"])
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    draw(task["key"], draft)
    draft.replace(path)
    return {"path": str(path)}


def _speech(task: Result) -> Result:
    said = speak(task["text"], VOICES[task["voice"]], task["speed"])
    write_wav(said.samples, said.rate, Path(task["path"]))
    words = [{"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)} for word in said.words]
    return {"duration": round(said.duration, 3), "words": words}


TASKS: dict[str, Callable[[Result], Result]] = {
    "video": _video,
    "speech": _speech,
    "preview_image": partial(_draw, preview_image),
    "preview_video": partial(_draw, preview_video),
    "voice_sample": partial(_draw, voice_sample),
}

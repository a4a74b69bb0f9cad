"""What the render process can do. Tasks and results are plain JSON; files are named by their paths."""

import logging
import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from genvid.sandbox import renderer
from genvid.sandbox.render_worker import montage
from genvid.sandbox.renderer import speech
from genvid.sandbox.renderer.catalogue import VOICES
from genvid.sandbox.renderer.job import Background, Rendered, RenderJob

log = logging.getLogger(__name__)
Result = dict[str, Any]


def perform(task: Result) -> Result:
    """The result of a task, or the reason why there is none."""
    try:
        return TASKS[task["task"]](task)
    except renderer.Unspeakable as error:
        return {"error": "tts_text_invalid", "message": str(error)}
    except renderer.UnreadableMedia as error:
        return {"error": "download_failed", "message": str(error)}
    except Exception as error:
        log.exception("Task failed")
        return {"error": "rendering_failed", "message": f"{type(error).__name__}: {error}"}


def _video(task: Result) -> Result:
    folder = Path(task["folder"])
    scenes = [_scene(scene, folder / f"scene{number}", task) for number, scene in enumerate(task["scenes"])]
    made = scenes[0] if len(scenes) == 1 else montage.join(scenes, folder)
    names = {"video": made.video, "captioned": made.captioned_video, "subtitles": made.subtitles}
    names |= {"thumbnail": made.thumbnail, "gif": made.gif}
    files = {kind: str(path.relative_to(folder)) for kind, path in names.items() if path is not None}
    return {"files": files, "duration": round(made.duration, 3)}


def _scene(scene: Result, folder: Path, task: Result) -> Rendered:
    folder.mkdir(parents=True, exist_ok=True)
    if task["renderer"] == "canned":
        return renderer.take_canned(job_of(scene), folder, Path(task["shelf"]))
    if task["renderer"] == "clip":
        return renderer.render_clip(job_of(scene), folder)
    return renderer.render(job_of(scene), folder, lambda share: None)


def job_of(scene: Result) -> RenderJob:
    paths = {name: Path(scene[name]) if scene.get(name) else None for name in ("audio", "image", "backdrop")}
    background = None
    if scene.get("color") or paths["backdrop"]:
        background = Background(scene.get("color"), paths["backdrop"])
    plain = ("script", "persona", "voice", "width", "height", "burn_captions", "speed", "pitch", "volume")
    return RenderJob(
        **{name: scene[name] for name in plain},
        background=background,
        audio=paths["audio"],
        image=paths["image"],
        watermark=scene.get("watermark", ""),
    )


def _preview_image(task: Result) -> Result:
    return _drawn(task, lambda path: renderer.preview_image(task["persona"], path))


def _preview_video(task: Result) -> Result:
    return _drawn(task, lambda path: renderer.preview_video(task["persona"], path))


def _voice_sample(task: Result) -> Result:
    return _drawn(task, lambda path: renderer.voice_sample(task["voice"], path))


def _drawn(task: Result, draw: Callable[[Path], Path]) -> Result:
    """Draws beside the path and moves there, so that nobody is served half a file."""
    path = Path(task["path"])
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    draw(draft)
    draft.replace(path)
    return {"path": str(path)}


def _speech(task: Result) -> Result:
    said = speech.speak(task["text"], VOICES[task["voice"]], task["speed"])
    with wave.open(task["path"], "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(said.rate)
        sound.writeframes((np.clip(said.samples, -1, 1) * 32767).astype("<i2").tobytes())
    words = [{"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)} for word in said.words]
    return {"duration": round(said.duration, 3), "words": words}


TASKS: dict[str, Callable[[Result], Result]] = {
    "video": _video,
    "preview_image": _preview_image,
    "preview_video": _preview_video,
    "voice_sample": _voice_sample,
    "speech": _speech,
}

"""A customer's own material: files are sent, faces and voices made of them, texts heard, and videos made of all."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx

from genvid.tests import media_files
from videos.tests.chaos.own_plan import CLONE, MaterialPlan, PlannedCreation
from videos.tests.chaos.patient_client import PATIENCE, PatientClient

CHECK_INTERVAL = 0.7
TEXT_TRIES = 3
"""A text that HeyGen could not speak in time may be sent again."""
CONSENT = {"is_me": True, "subject_name": "Ada", "confirmed": True}
WAIT = "wait=1"
"""The web process has four threads, which a wait takes."""
OVER = ("ready", "failed", "refused")
SPOKEN = ("ready", "failed")
Film = Callable[[str, dict[str, Any]], None]
"""Orders a video under a name, with these fields of its body."""


@cache
def file_named(name: str) -> tuple[str, bytes, str]:
    if name == "recording":
        return ("me.wav", media_files.wav(2.0), "audio/wav")
    if name == "film":
        return ("me.mp4", media_files.film(frames=15 * 25 + 5), "video/mp4")
    return ("me.jpg", media_files.picture("JPEG", (64, 64)), "image/jpeg")


class OwnMaterial:
    """`ids`: of each name, what its key was answered with."""

    def __init__(self, plan: MaterialPlan, client: PatientClient, film: Film, avatar_id: str, voice_id: str) -> None:
        self.plan = plan
        self.uploads: dict[str, set[str]] = defaultdict(set)
        self.creations: dict[str, set[str]] = defaultdict(set)
        self.speeches: dict[str, set[str]] = defaultdict(set)
        self.prices: dict[str, int] = {}
        """What a video must cost, by its name, as the speech that it was ordered with said."""
        self.unanswered: set[str] = set()
        """Names of those whose person never agrees."""
        self.deleted_uploads: set[str] = set()
        self.errors: list[str] = []
        self.counts: Counter[str] = Counter()
        self._client, self._film = client, film
        self._avatar_id, self._voice_id = avatar_id, voice_id

    def make_all(self) -> None:
        for name in self.plan.files:
            self._try(name, lambda name=name: self._send_file(name))
        for planned in self.plan.creations:
            self._try(planned.kind, lambda planned=planned: self._order(planned))
        self._try("text", self._listen)
        self._try("recording", self._film_recording)
        for planned in self.plan.creations:
            self._try(planned.kind, lambda planned=planned: self._follow(planned))

    def _try(self, what: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - every error is reported as a violation
            self.errors.append(f"{self._name(what)}: {error!r}")

    def _name(self, what: str) -> str:
        return f"own-{self.plan.customer}-{what}"

    def _post(self, what: str, path: str, *statuses: int, copies: int = 1, **body: Any) -> list[dict[str, Any]]:
        """What the answers to one key say, each of them successful."""
        answers = self._client.send_copies(copies, "POST", path, key=self._name(what), **body)
        for answer in answers:
            self.counts[f"POST {path.rpartition('/')[2]} {answer.status_code}"] += 1
            if answer.status_code not in statuses:
                raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        return [answer.json()["data"] for answer in answers]

    def _send_file(self, name: str) -> None:
        files = {"file": file_named(name)}
        [sent] = self._post(f"{name}-file", "/api/v1/uploads", 201, files=files)
        self.uploads[name].add(sent["id"])
        if name == "spare":
            self._delete_file(name)

    def _file_id(self, name: str) -> str:
        return next(iter(self.uploads[name]))

    def _delete_file(self, name: str) -> None:
        self._delete("uploads", self._file_id(name))
        self.deleted_uploads.add(self._file_id(name))

    def _delete(self, path: str, object_id: str) -> None:
        answer = self._client.send("DELETE", f"/api/v1/{path}/{object_id}")
        self.counts[f"DELETE {path} {answer.status_code}"] += 1
        # A repetition of one whose answer was lost finds nothing.
        if answer.status_code not in (204, 404):
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")

    # ── Own avatars and voices

    def _order(self, planned: PlannedCreation) -> None:
        name, path = self._name(planned.kind), _path_of(planned)
        body = {"name": name, "kind": planned.kind, "upload_id": self._file_id(planned.file), "consent": CONSENT}
        if planned.kind == CLONE:
            body |= {"kind": "clone", "language": "English"}
        made = self._post(planned.kind, f"/api/v1/{path}", 202, copies=1 + planned.sent_twice, json=body)
        self.creations[name] |= {each["id"] for each in made}
        if planned.fate == "delete_at_once":
            self._delete(path, made[0]["id"])
            if planned.kind != CLONE:
                self._delete_file(planned.file)

    def _follow(self, planned: PlannedCreation) -> None:
        name, path = self._name(planned.kind), _path_of(planned)
        if planned.fate == "delete_at_once" or not self.creations[name]:
            return
        object_id = next(iter(self.creations[name]))
        made = self._wait_for(f"/api/v1/{path}/{object_id}", *OVER, "waiting_for_consent")
        if made["status"] == "waiting_for_consent":
            made = self._answer_consent(planned, name, made)
        if made["status"] == "ready":
            self._use(planned, object_id)
        if planned.fate == "delete_waiting" or (planned.fate == "delete_ready" and made["status"] == "ready"):
            self._delete(path, object_id)

    def _answer_consent(self, planned: PlannedCreation, name: str, made: dict[str, Any]) -> dict[str, Any]:
        if planned.fate in ("no_consent", "delete_waiting"):
            self.unanswered |= {name} if planned.fate == "no_consent" else set()
            return made
        _agree(made["consent"]["url"])
        return self._wait_for(f"/api/v1/avatars/{made['id']}", *OVER)

    def _use(self, planned: PlannedCreation, object_id: str) -> None:
        self.counts[f"{planned.kind} used"] += 1
        script = {"script": f"Now I speak for customer {self.plan.customer}."}
        if planned.kind == CLONE:
            self._hear("own-voice", script["script"], object_id)
            self._film(self._name("with-voice"), script | {"avatar_id": self._avatar_id, "voice_id": object_id})
        else:
            cast = {"avatar_id": object_id, "voice_id": self._voice_id}
            self._film(self._name(f"with-{planned.kind}"), script | cast)

    def _wait_for(self, path: str, *statuses: str) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            answer = self._client.send("GET", path)
            if answer.status_code != 200:
                raise RuntimeError(f"GET {path}: {answer.status_code} {answer.text[:200]}")
            found: dict[str, Any] = answer.json()["data"]
            if found["status"] in statuses:
                return found
            time.sleep(CHECK_INTERVAL)
        raise TimeoutError(f"{path} did not become {' or '.join(statuses)} in {PATIENCE:.0f} s")

    # ── Sounds

    def _listen(self) -> None:
        if not self.plan.text:
            return
        heard = self._hear("text", self.plan.text, self._voice_id)
        if heard is not None:
            name = self._name("with-speech")
            self.prices[name] = heard["prices"]["studio_avatar"]
            self._film(name, {"avatar_id": self._avatar_id, "speech_id": heard["id"], "resolution": "1080p"})

    def _hear(self, what: str, script: str, voice_id: str) -> dict[str, Any] | None:
        """The speech, asked for again under another key; None where HeyGen could not speak it."""
        body = {"script": script, "voice_id": voice_id}
        for number in range(TEXT_TRIES):
            [asked] = self._post(f"{what}-{number}", "/api/v1/speech", 200, 202, json=body, prefer=WAIT)
            self.speeches[f"{what}-{number}"].add(asked["id"])
            heard = self._wait_for(f"/api/v1/speech/{asked['id']}", *SPOKEN)
            self.counts[f"speech {heard['status']}"] += 1
            if heard["status"] == "ready":
                [again] = self._post(f"{what}-{number}-again", "/api/v1/speech", 200, 202, json=body, prefer=WAIT)
                self.speeches[f"{what}-{number}"].add(again["id"])
                return heard
        return None

    def _film_recording(self) -> None:
        if self.plan.has_recording:
            audio = {"upload_id": self._file_id("recording")}
            self._film(self._name("with-recording"), {"avatar_id": self._avatar_id, "audio": audio})


def _path_of(planned: PlannedCreation) -> str:
    return "voices" if planned.kind == CLONE else "avatars"


def _agree(page: str) -> None:
    """As the filmed person does on HeyGen's page, again until it answers. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if httpx.post(page, timeout=10, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(CHECK_INTERVAL)
    raise TimeoutError(f"{page} does not answer")

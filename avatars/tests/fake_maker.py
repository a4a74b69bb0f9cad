"""An in-memory HeyGen for own avatars and voices, whose answers can be planned to fail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from genvid.heygen.avatar_making import MadeGroup, MadeLook, MadeVoice, MakingState
from genvid.heygen.failures import failure_of_video
from genvid.heygen.heygen_errors import Busy, InProgress, NotFound, OperatorProblem, Refused, Unknown
from genvid.heygen.heygen_types import Look, RemoteVoice


class Crash(BaseException):
    """Kills the worker at this line."""


ERRORS: dict[str, Callable[[], BaseException]] = {
    "crash": Crash,
    "unknown": lambda: Unknown("internal_error"),
    "busy": lambda: Busy("rate_limit_exceeded", retry_after=1.0),
    "full": lambda: OperatorProblem("resource_limit_reached"),
    "in_progress": lambda: InProgress("request_in_progress"),
    "refused": lambda: Refused("content_policy_violation"),
    "operator": lambda: OperatorProblem("unauthorized"),
}
PROVIDER_TROUBLE = ("crash", "unknown", "busy", "operator")


@dataclass(frozen=True)
class Made:
    id: str
    name: str
    is_voice: bool
    is_twin: bool = False
    state: MakingState = MakingState.PROCESSING
    look_state: MakingState | None = None
    """What the look says while the group waits for consent; None: the same."""
    default_voice_id: str = ""
    consented: bool = False
    failure: str = ""
    deleted: bool = False

    @property
    def shown_state(self) -> MakingState:
        if self.is_twin and not self.consented:
            return MakingState.PENDING_CONSENT
        return self.state


@dataclass
class FakeMaker:
    """Orders with one key make one thing, even if the first answer was lost."""

    made: dict[str, Made] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    plan: list[str] = field(default_factory=list)
    """Outcomes of the next calls; `ok` when empty."""
    create_plan: list[str] = field(default_factory=list)
    """Outcomes of the next orders, before those of `plan`."""
    is_listing: bool = True
    """False: what was made is not listed yet."""
    while_listing: Callable[[], object] = lambda: None
    client: Any = None

    def listed(self) -> list[Made]:
        self.while_listing()
        return self.live() if self.is_listing else []

    def live(self) -> list[Made]:
        return [each for each in self.made.values() if not each.deleted]

    def change(self, made_id: str, **changes: Any) -> None:
        self.made[made_id] = replace(self.made[made_id], **changes)

    def _answer(self, *known: str) -> str:
        answer = self.plan.pop(0) if self.plan else "ok"
        if answer in known:
            raise ERRORS[answer]()
        return answer

    def _create(self, name: str, key: str, **kind: bool) -> str:
        if self.create_plan:
            self.plan.insert(0, self.create_plan.pop(0))
        answer = self._answer(*ERRORS)
        if key not in self.keys:
            made = Made(f"made-{len(self.made)}", name, **kind)
            self.made[made.id], self.keys[key] = made, made.id
        if answer == "lost":
            raise Unknown("timeout")
        if answer == "crash_after":
            raise Crash
        return self.keys[key]

    def create_avatar(self, kind: str, *, name: str, asset_id: str, idempotency_key: str) -> tuple[str, str]:
        made_id = self._create(name, idempotency_key, is_voice=False, is_twin=kind == "digital_twin")
        return made_id, f"group-of-{made_id}"

    def clone_voice(self, *, name: str, asset_id: str, language: str, idempotency_key: str) -> str:
        return self._create(name, idempotency_key, is_voice=True)

    def ask_for_consent(self, group_id: str) -> str:
        self._answer(*PROVIDER_TROUBLE)
        return "https://app.heygen.com/consent"

    def _found(self, made_id: str) -> Made:
        self._answer(*PROVIDER_TROUBLE)
        made = self.made[made_id]
        if made.deleted:
            raise NotFound("avatar_not_found")
        return made

    def get_look(self, look_id: str) -> MadeLook:
        return _look(self._found(look_id))

    def get_group(self, group_id: str) -> MadeGroup:
        made = self._found(group_id.removeprefix("group-of-"))
        needs_consent = made.shown_state is MakingState.PENDING_CONSENT
        return MadeGroup(group_id, made.name, made.shown_state, needs_consent, not needs_consent)

    def get_voice(self, voice_id: str) -> MadeVoice:
        return _voice(self._found(voice_id))

    def iter_private_groups(self) -> Iterator[MadeGroup]:
        self._answer(*PROVIDER_TROUBLE)
        groups = [each for each in self.listed() if not each.is_voice]
        return iter([MadeGroup(f"group-of-{each.id}", each.name, each.shown_state, False) for each in groups])

    def iter_private_looks(self) -> Iterator[MadeLook]:
        self._answer(*PROVIDER_TROUBLE)
        return iter([_look(each) for each in self.listed() if not each.is_voice])

    def iter_private_voices(self) -> Iterator[MadeVoice]:
        self._answer(*PROVIDER_TROUBLE)
        return iter([_voice(each) for each in self.listed() if each.is_voice])

    def delete_look(self, look_id: str) -> bool:
        self._answer(*PROVIDER_TROUBLE)
        self.change(look_id, deleted=True)
        return True

    delete_voice = delete_look

    def delete_group(self, group_id: str) -> bool:
        self._answer(*PROVIDER_TROUBLE)
        return False


def _look(made: Made) -> MadeLook:
    look = Look(made.id, made.name, "photo_avatar", preview_image_url="https://files.heygen.ai/a.jpg",
                engines=("avatar_iv",), group_id=f"group-of-{made.id}",
                default_voice_id=made.default_voice_id)  # fmt: skip
    state = made.look_state or made.shown_state
    return MadeLook(look, state, state is MakingState.COMPLETED, _failure(made))


def _voice(made: Made) -> MadeVoice:
    return MadeVoice(RemoteVoice(made.id, made.name, "English"), made.shown_state, _failure(made))


def _failure(made: Made) -> Any:
    return failure_of_video(made.failure, "") if made.shown_state is MakingState.FAILED else None

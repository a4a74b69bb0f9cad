"""What each customer of a chaos run makes of own material, all drawn from the seed before the run starts."""

from dataclasses import dataclass
from random import Random

from avatars.enums import CreationKind

PHOTO, TWIN, CLONE = CreationKind.PHOTO_AVATAR, CreationKind.DIGITAL_TWIN, CreationKind.VOICE_CLONE
FATES = {
    PHOTO: {"keep": 45, "delete_at_once": 25, "delete_ready": 30},
    TWIN: {"keep": 35, "delete_at_once": 15, "no_consent": 20, "delete_waiting": 15, "delete_ready": 15},
    CLONE: {"keep": 45, "delete_at_once": 25, "delete_ready": 30},
}
"""What becomes of an own avatar or voice, by weight. `no_consent`: its person never answers."""
FILES = {PHOTO: "photo", TWIN: "film", CLONE: "recording"}
SENT_TWICE_SHARE = 0.15
WORDS = ("listen", "before", "you", "pay", "for", "our", "film", "of", "the", "harbour", "at", "night")


@dataclass(frozen=True)
class PlannedCreation:
    kind: CreationKind
    fate: str
    sent_twice: bool

    @property
    def file(self) -> str:
        return FILES[self.kind]


@dataclass(frozen=True)
class MaterialPlan:
    """`text`: to be heard, "" for none. `has_recording`: a video is rendered with it. `has_spare`: sent and deleted."""

    customer: int
    creations: tuple[PlannedCreation, ...]
    text: str
    has_recording: bool
    has_spare: bool

    @property
    def files(self) -> list[str]:
        wanted = {each.file for each in self.creations}
        wanted |= {"recording"} if self.has_recording else set()
        return sorted(wanted) + (["spare"] if self.has_spare else [])


def material_plans(seed: int, customers: int) -> list[MaterialPlan]:
    rng = Random(f"{seed} material")
    return [_plan_of(number, rng) for number in range(customers)]


def _plan_of(number: int, rng: Random) -> MaterialPlan:
    """By the number, so that a short run has some of each kind."""
    kinds = [PHOTO] * (number % 3 != 2) + [TWIN] * (number % 3 != 0) + [CLONE] * (number % 2 == 0)
    words = " ".join(rng.choices(WORDS, k=rng.randint(4, 9)))
    return MaterialPlan(
        customer=number,
        creations=tuple(_creation(kind, rng) for kind in kinds),
        text=f"Customer {number}: {words}." if number % 3 != 1 else "",
        has_recording=number % 4 == 0,
        has_spare=number % 4 == 1,
    )


def _creation(kind: CreationKind, rng: Random) -> PlannedCreation:
    fates = FATES[kind]
    fate = rng.choices([*fates], [*fates.values()])[0]
    return PlannedCreation(kind, fate, sent_twice=rng.random() < SENT_TWICE_SHARE)

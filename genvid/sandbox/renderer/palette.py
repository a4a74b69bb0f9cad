"""Every colour of a presenter, worked out once from the few the catalogue names."""

from dataclasses import dataclass
from functools import cached_property

from genvid.sandbox.renderer.catalogue import Persona
from genvid.sandbox.renderer.geometry import BLACK, WHITE, Colour, mix, rgb

UNDER_HIJAB: Colour = (52, 34, 26)  # brows and lashes when the hair is not seen


@dataclass(frozen=True)
class Palette:
    persona: Persona

    @cached_property
    def skin(self) -> Colour:
        return rgb(self.persona.skin)

    @cached_property
    def skin_shade(self) -> Colour:
        return mix(self.skin, (96, 40, 30), 0.22)

    @cached_property
    def skin_deep(self) -> Colour:
        return mix(self.skin, (70, 25, 20), 0.42)

    @cached_property
    def skin_light(self) -> Colour:
        return mix(self.skin, WHITE, 0.5)

    @cached_property
    def blush(self) -> Colour:
        return mix(self.skin, (232, 84, 84), 0.5)

    @cached_property
    def lip(self) -> Colour:
        return mix(self.skin, (176, 52, 66), 0.62 if self.persona.lashes else 0.42)

    @cached_property
    def lip_line(self) -> Colour:
        return mix(self.lip, (60, 10, 20), 0.45)

    @cached_property
    def hair(self) -> Colour:
        return rgb(self.persona.hair)

    @cached_property
    def hair_light(self) -> Colour:
        return mix(self.hair, (255, 225, 190), 0.14)

    @cached_property
    def hair_dark(self) -> Colour:
        return mix(self.hair, BLACK, 0.28)

    @cached_property
    def brow(self) -> Colour:
        return mix(self._facial_hair, (20, 12, 10), 0.25)

    @cached_property
    def lash(self) -> Colour:
        return mix(mix(self._facial_hair, BLACK, 0.28), (20, 10, 10), 0.5)

    @cached_property
    def iris(self) -> Colour:
        return rgb(self.persona.iris)

    @cached_property
    def shirt(self) -> Colour:
        return rgb(self.persona.shirt)

    @cached_property
    def shirt_dark(self) -> Colour:
        return mix(self.shirt, (10, 12, 30), 0.22)

    @cached_property
    def shirt_light(self) -> Colour:
        return mix(self.shirt, WHITE, 0.22)

    @cached_property
    def coat(self) -> Colour:
        """The colour of the shoulders: the jacket if there is one."""
        return rgb(self.persona.coat) if self.persona.outfit in ("blazer", "suit") else self.shirt

    @property
    def _facial_hair(self) -> Colour:
        return UNDER_HIJAB if self.persona.hair_style == "hijab" else self.hair

"""Every colour of a presenter, derived from the few that the persona names."""

from genvid.sandbox.renderer.geometry import BLACK, WHITE, Colour, mix, rgb
from genvid.sandbox.renderer.personas import Persona

UNDER_HIJAB: Colour = (52, 34, 26)  # brows and lashes when the hair is not seen


class Palette:
    def __init__(self, persona: Persona) -> None:
        self.persona = persona
        self.skin = rgb(persona.skin)
        self.skin_shade = mix(self.skin, (96, 40, 30), 0.22)
        self.skin_deep = mix(self.skin, (70, 25, 20), 0.42)
        self.skin_light = mix(self.skin, WHITE, 0.5)
        self.blush = mix(self.skin, (232, 84, 84), 0.5)
        self.lip = mix(self.skin, (176, 52, 66), 0.62 if persona.lashes else 0.42)
        self.lip_line = mix(self.lip, (60, 10, 20), 0.45)
        self.hair = rgb(persona.hair)
        self.hair_light = mix(self.hair, (255, 225, 190), 0.14)
        self.hair_dark = mix(self.hair, BLACK, 0.28)
        facial_hair = UNDER_HIJAB if persona.hair_style == "hijab" else self.hair
        self.brow = mix(facial_hair, (20, 12, 10), 0.25)
        self.lash = mix(mix(facial_hair, BLACK, 0.28), (20, 10, 10), 0.5)
        self.iris = rgb(persona.iris)
        self.shirt = rgb(persona.shirt)
        self.shirt_dark = mix(self.shirt, (10, 12, 30), 0.22)
        self.shirt_light = mix(self.shirt, WHITE, 0.22)
        # The colour of the shoulders: the jacket if there is one.
        self.coat = rgb(persona.coat) if persona.outfit in ("blazer", "suit") else self.shirt

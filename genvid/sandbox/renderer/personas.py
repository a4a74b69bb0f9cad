"""The presenters, read from personas.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("personas.toml")

Gender = Literal["female", "male"]
Kind = Literal["studio_avatar", "photo_avatar", "digital_twin"]
Orientation = Literal["landscape", "portrait", "square"]
HairStyle = Literal["bob", "long", "side", "fade", "curly", "hijab", "bun", "crop", "swept"]
Outfit = Literal["blazer", "crew", "vneck", "shirt", "turtleneck", "suit", "hoodie"]
FacialHair = Literal["none", "beard", "moustache"]


@dataclass(frozen=True)
class Persona:
    key: str
    name: str
    role: str
    gender: Gender
    kind: Kind
    tags: list[str]
    default_voice: str
    skin: str
    hair: str
    hair_style: HairStyle
    outfit: Outfit
    shirt: str
    backdrop: list[str]
    accent: str
    orientation: Orientation = "landscape"
    coat: str = "#27304f"
    iris: str = "#5a3b28"
    facial_hair: FacialHair = "none"
    glasses: bool = False
    lashes: bool = False
    earrings: bool = False


PERSONAS = {row["key"]: Persona(**row) for row in tomllib.loads(FILE.read_text(encoding="utf-8"))["persona"]}

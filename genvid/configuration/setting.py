"""The declaration of a setting."""

from dataclasses import dataclass

from genvid.configuration.kinds import Kind

SETTINGS_FILE = "genvid/settings.py"


@dataclass(frozen=True)
class Setting:
    """An environment variable: its meaning and its value.

    Defaults are texts, parsed like any other value. A setting with neither `default` nor `computed` is required.
    """

    name: str
    kind: Kind
    meaning: str
    default: str | None = None
    embedded: str | None = None
    testing: str | None = None
    computed: str = ""
    unit: str = ""
    wrong: str = ""
    checks: tuple[str, ...] = ()
    secret: bool = False
    read_by: str = SETTINGS_FILE
    example: str | None = None
    """What .env.example shows beside `# NAME=` instead of the default."""
    fill_in: str | None = None
    """What .env.example sets, for settings that production requires."""
    internal: bool = False

    @property
    def is_required(self) -> bool:
        return self.default is None and not self.computed

    @property
    def comes_from_file(self) -> bool:
        return self.secret and self.read_by == SETTINGS_FILE


@dataclass(frozen=True)
class Group:
    title: str
    settings: tuple[Setting, ...]

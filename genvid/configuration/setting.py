"""How a setting is declared."""

from dataclasses import dataclass

from genvid.configuration.kinds import Kind

SETTINGS_FILE = "genvid/settings.py"


@dataclass(frozen=True)
class Setting:
    """An environment variable: its meaning and its value.

    Defaults are written as an operator would write them and parsed like any other value. A setting with neither
    `default` nor `computed` is required.
    """

    name: str
    kind: Kind
    meaning: str
    default: str | None = None
    embedded: str | None = None
    """The default under `make run`, where it differs."""
    testing: str | None = None
    """The default under `make test`, where it differs."""
    computed: str = ""
    """The default in words, where genvid/settings.py computes it."""
    unit: str = ""
    wrong: str = ""
    """The effect of a well-formed but wrong value."""
    checks: tuple[str, ...] = ()
    """Ids of the system checks that judge it."""
    secret: bool = False
    read_by: str = SETTINGS_FILE
    example: str | None = None
    """What .env.example shows beside `# NAME=` instead of the default."""
    fill_in: str | None = None
    """What .env.example sets, for settings that production requires."""
    internal: bool = False
    """Set by the project's own commands only: not in .env.example."""

    @property
    def is_required(self) -> bool:
        return self.default is None and not self.computed

    @property
    def comes_from_file(self) -> bool:
        """Whether NAME_FILE may name a file that holds the value."""
        return self.secret and self.read_by == SETTINGS_FILE


@dataclass(frozen=True)
class Group:
    title: str
    settings: tuple[Setting, ...]

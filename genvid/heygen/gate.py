"""Whether HeyGen may be called for anything but renders, whose gate the videos app keeps.

Own faces, uploads and speech ask here, so that a pause by staff and a tripped gate hold for them as well, without a
lower app knowing the one that decides.
"""

from collections.abc import Callable

_checks: list[Callable[[], bool]] = []


def register(check: Callable[[], bool]) -> None:
    """`check`: True while calls may be made. It may read the database."""
    if check not in _checks:
        _checks.append(check)


def is_open() -> bool:
    """False while staff have paused HeyGen or its gate is shut. The test renderer has no gate: do not ask for it."""
    return all(check() for check in _checks)

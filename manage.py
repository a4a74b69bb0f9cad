#!/usr/bin/env python
"""Django's command line. A missing package is reported in one line."""

import os
import sys

WITHOUT_SETTINGS: tuple[list[str], ...] = ([], ["help"], ["-h"], ["--help"])


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genvid.settings")
    try:
        run()
    except ModuleNotFoundError as error:
        sys.exit(
            f"manage.py: {error.name} is not installed for {sys.executable or 'this Python'}. "
            "Use .venv/bin/python manage.py; `make setup` makes .venv."
        )


def run() -> None:
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - a missing package is told in one line

    from genvid.version import version_line  # noqa: PLC0415 - loads Django, too

    if sys.argv[1:] in (["version"], ["--version"]):
        # Django answers both with its own version before it looks for a command.
        sys.stdout.write(version_line() + "\n")
        return
    if sys.argv[1:2] not in WITHOUT_SETTINGS:
        from genvid.start_up import set_up_django  # noqa: PLC0415 - loads Django, too

        set_up_django()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

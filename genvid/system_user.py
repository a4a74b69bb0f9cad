"""The name of the user that runs this process."""

import getpass
import os


def system_user() -> str:
    """`uid 10001` for a user without an entry in the password database, as containers often have."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # Python up to 3.12 raises KeyError, later ones OSError.
        return f"uid {os.getuid()}"

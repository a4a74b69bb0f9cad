"""The settings that come from the environment: declarations, reader, and the pages generated from them.

`declared/` holds the declarations, `genvid.settings` reads them through `DeclaredEnv`, `python -m genvid.configuration`
writes docs/configuration.md and .env.example.
"""

from genvid.configuration.reader import ConfigurationError, DeclaredEnv

__all__ = ["ConfigurationError", "DeclaredEnv"]

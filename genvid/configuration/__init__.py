"""Settings from the environment: declarations, reader, and the pages generated from them.

`declared/` holds the declarations, `genvid.settings` reads them through `DeclaredEnv`.
"""

from genvid.configuration.reader import ConfigurationError, DeclaredEnv

__all__ = ["ConfigurationError", "DeclaredEnv"]

"""The settings that come from the environment: their declarations, their reader, and the pages made from them.

`declared/` says all that there is to say about each; `genvid.settings` reads them through `DeclaredEnv`;
`python -m genvid.configuration` writes docs/configuration.md and .env.example.
"""

from genvid.configuration.reader import ConfigurationError, DeclaredEnv

__all__ = ["ConfigurationError", "DeclaredEnv"]

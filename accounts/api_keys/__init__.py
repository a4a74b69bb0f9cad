"""API keys: format, creation, revocation and monthly limits."""

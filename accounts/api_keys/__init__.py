"""API keys: their format, their creation and revocation, their monthly limits."""

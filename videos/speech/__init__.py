"""How long a voice needs for a script, and what it can read. Pure functions."""

"""Hear before paying: a script is spoken by a voice, and a video may be rendered with that very audio."""

"""Turns a script into a talking-avatar video, offline and always the same way."""

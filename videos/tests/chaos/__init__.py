"""Chaos test: real services and processes, hundreds of videos, and random faults from one seed."""

"""Heartbeats: the proof that beat runs, and that each queue of Celery is worked off by a pool with a free thread."""

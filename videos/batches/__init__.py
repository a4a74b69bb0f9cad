"""Batches: reading tables, creating and canceling many videos, progress and results."""

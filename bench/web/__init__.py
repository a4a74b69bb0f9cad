"""Requests a second and latency of the web process beside a reference design, both as real servers under load."""

"""Background jobs of the catalogue. `avatars.tasks` does them."""

from genvid.jobs import Job

SYNC = Job("avatars.sync")
SYNC_WHEN_EMPTY = Job("avatars.sync_when_empty")

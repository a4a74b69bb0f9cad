"""Names of the catalogue's background jobs; `avatars.tasks` has their tasks."""

from genvid.jobs import Job

SYNC = Job("avatars.sync", queue="outgoing")
# Sending a file may take minutes.
WORK_ON_CREATION = Job("avatars.work_on_creation", queue="files")
SWEEP_CREATIONS = Job("avatars.sweep_creations", has_work="avatars.own.work.has_work")
REMOVE_ORPHANS = Job("avatars.remove_orphans", queue="outgoing")
SYNC_WHEN_EMPTY = Job("avatars.sync_when_empty", queue="outgoing")
WORK_ON_UPLOAD = Job("avatars.work_on_upload", queue="files")
SWEEP_UPLOADS = Job("avatars.sweep_uploads")

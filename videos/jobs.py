"""Names and queues of the pipeline's background jobs; `videos.tasks` has their tasks."""

from genvid.jobs import Job

DISPATCH = Job("videos.dispatch", has_work="videos.pipeline.due_work.has_orders", pause=0.5)
REFRESH_QUEUE = Job("videos.refresh_queue", queue="ticks")
SUBMIT = Job("videos.submit", queue="orders")
# What reads at HeyGen has a queue of its own: a HeyGen that does not answer delays neither scheduler nor sweep.
# A client waits for the answer: nothing else may stand in front of it.
SPEAK = Job("videos.speak", queue="speech")
POLL = Job("videos.poll", queue="polls", has_work="videos.pipeline.due_work.has_polls")
READ = Job("videos.read", queue="polls")
BACKFILL = Job("videos.backfill", queue="polls")
LEARN_RENDER_TIMES = Job("videos.learn_paces")
STORE = Job("videos.store", queue="files")
PROCESS_DELIVERY = Job("videos.work_off_delivery", queue="polls")
PURGE = Job("videos.purge", queue="files")
ALARM_STAFF = Job("videos.alarm_staff")
REPLACE_FILE = Job("videos.replace_file", queue="files")
SWEEP = Job("videos.sweep")
END_OVERDUE = Job("videos.end_overdue")
PROBE_PROVIDER = Job("videos.probe_provider", queue="polls", has_work="videos.provider.outages.has_outage")
READ_BALANCE = Job("videos.read_balance", queue="polls")
REGISTER_WEBHOOK = Job("videos.register_webhook", queue="outgoing")
CANCEL_BATCH = Job("videos.cancel_batch")
RETAIN = Job("videos.retain", queue="files")
DELETE_RENDER = Job("videos.delete_render", queue="files")

ORDERS_PER_MESSAGE = 20
"""Of SUBMIT, which takes the ids of several videos."""

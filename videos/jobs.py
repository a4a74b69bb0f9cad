"""Names and queues of the pipeline's background jobs; `videos.tasks` has their tasks."""

from genvid.jobs import Job

DISPATCH = Job("videos.dispatch", has_work="videos.pipeline.due_work.has_orders", pause=0.5)
REFRESH_QUEUE = Job("videos.refresh_queue", queue="ticks")
SUBMIT = Job("videos.submit", queue="orders")
POLL = Job("videos.poll", has_work="videos.pipeline.due_work.has_polls")
READ = Job("videos.read")
BACKFILL = Job("videos.backfill")
LEARN_RENDER_TIMES = Job("videos.learn_paces")
STORE = Job("videos.store", queue="files")
PROCESS_DELIVERY = Job("videos.work_off_delivery")
PURGE = Job("videos.purge", queue="files")
ALARM_STAFF = Job("videos.alarm_staff")
REPLACE_FILE = Job("videos.replace_file", queue="files")
SWEEP = Job("videos.sweep")
END_OVERDUE = Job("videos.end_overdue")
PROBE_PROVIDER = Job("videos.probe_provider", has_work="videos.provider.outages.has_outage")
READ_BALANCE = Job("videos.read_balance")
REGISTER_WEBHOOK = Job("videos.register_webhook")
CANCEL_BATCH = Job("videos.cancel_batch")
RETAIN = Job("videos.retain")
DELETE_RENDER = Job("videos.delete_render", queue="files")

ORDERS_PER_MESSAGE = 20
"""Of SUBMIT, which takes the ids of several videos."""

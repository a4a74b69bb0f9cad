"""Names and queues of billing's background jobs; `billing.tasks` has their tasks."""

from genvid.jobs import Job

EXPIRE_LOTS = Job("billing.expire_lots")
PURGE_STRIPE_INBOX = Job("billing.purge_stripe_inbox")
RUN_SYNC = Job("billing.look", queue="outgoing")
# Enqueued by the previous release only: mails about money are in the outbox now.
SEND_FORMER_MAIL = Job("billing.send_letter", queue="outgoing")
TOP_UP = Job("billing.top_up", queue="outgoing")
PUSH_PLANS = Job("billing.push_plans", queue="outgoing")
SET_UP_STRIPE = Job("billing.set_up_stripe", queue="outgoing")
# Beginning a top-up of a changed plan calls Stripe.
SWEEP = Job("billing.sweep", queue="outgoing")
ADVANCE_PERIODS = Job("billing.keep_time")
PROVE_LEDGER = Job("billing.prove_ledger", queue="files")
RECONCILE = Job("billing.reconcile", queue="files")

"""Background jobs of the mail outbox. `genvid.mail.tasks` does them."""

from genvid.jobs import Job

# A queue of its own: a mail server that does not answer keeps nothing waiting but mail. A message that waited longer is
# worthless: the sweep has sent another.
SEND = Job("genvid.mail.send", queue="mail")
SWEEP = Job("genvid.mail.sweep", has_work="genvid.mail.delivery.has_due")
PRUNE = Job("genvid.mail.prune")

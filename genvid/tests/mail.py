"""What the tests do with the mail outbox."""

from genvid.mail import delivery
from genvid.mail.models import QueuedMail


def send_due_mail() -> None:
    """What a worker does after a sweep: send all that is due, each once."""
    for pk in list(QueuedMail.objects.due().values_list("pk", flat=True)):
        delivery.send(pk)

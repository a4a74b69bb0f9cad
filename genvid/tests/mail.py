"""What the tests do with the mail outbox."""

from genvid.mail import delivery, staff_alarms
from genvid.mail.models import QueuedMail


def send_due_mail(kind: str = "") -> None:
    """What a worker does after a sweep: send all that is due, each once. `kind`: the beginning of theirs."""
    for pk in list(QueuedMail.objects.due().filter(kind__startswith=kind).values_list("pk", flat=True)):
        delivery.send(pk)


def alarms(name: str, about: str = "") -> dict[str, str]:
    """The texts of the alarms of this name that staff get, by what they are about."""
    prefix = f"{name}:"
    found = QueuedMail.objects.filter(kind=staff_alarms.KIND, key__startswith=prefix + about).order_by("pk")
    return {mail.key.removeprefix(prefix): mail.data.get("text", "") for mail in found}

"""Composes the mails about own avatars and voices when they are sent, for the person who ordered them."""

from accounts.teams.owner_emails import notice_recipients
from avatars.enums import CreationKind, EntryStatus, MailKind
from avatars.models import Creation
from genvid.mail.composing import Message, Order, composes


@composes(MailKind.OWN_AVATAR_READY)
def own_avatar_ready(order: Order) -> Message | None:
    return _of_creation(order, EntryStatus.READY)


@composes(MailKind.OWN_AVATAR_FAILED)
def own_avatar_failed(order: Order) -> Message | None:
    return _of_creation(order, EntryStatus.FAILED, EntryStatus.REFUSED)


def _of_creation(order: Order, *statuses: EntryStatus) -> Message | None:
    """None once it was deleted."""
    found = Creation.objects.filter(pk=order.data["creation"], status__in=statuses, deleted_at=None)
    creation = found.select_related("avatar", "voice").first()
    to = notice_recipients(order.person, order.account)
    if creation is None or not to:
        return None
    what = "voice" if creation.kind == CreationKind.VOICE_CLONE else "avatar"
    return Message(to, {"creation": creation, "name": creation.entry.name, "what": what})

"""Invariants of own avatars and voices: each made and paid once, and nothing else of them at HeyGen."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from uuid import UUID

from avatars.enums import PENDING, EntryStatus, MailKind
from avatars.models import Avatar, Creation, CreationEvent, Voice
from billing.models import Fee
from genvid.mail.models import QueuedMail
from videos.tests.chaos.evidence import Evidence, MadeObject


class CreationCheck:
    """`violations` names each broken invariant with its evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.copies = evidence, evidence.copies
        self.creations = {str(each.pk): each for each in Creation.objects.select_related("avatar", "voice")}
        self.fees = {fee.what: fee.credits for fee in Fee.objects.order_by("valid_from")}
        self.unanswered = {name for each in evidence.customers for name in each.material.unanswered}

    def violations(self) -> Iterator[str]:
        yield from self._key_violations()
        yield from self._unknown_copies()
        yield from self._key_repetitions()
        for pk, creation in self.creations.items():
            for what in self._creation_violations(pk, creation):
                yield f"{creation.kind} {pk} ({creation.status}): {what}"
        yield from self._history_violations()
        yield from self._mail_violations()
        yield from self._catalogue_violations()

    def _key_violations(self) -> Iterator[str]:
        made: dict[str, list[str]] = defaultdict(list)
        for each in self.creations.values():
            made[each.entry.name].append(str(each.entry_id))
        answered = {name: ids for each in self.evidence.customers for name, ids in each.material.creations.items()}
        for name in made.keys() | answered.keys():
            if made[name] != list(answered.get(name, ())):
                yield f"{name}: its key made {made[name]} and was answered with {sorted(answered.get(name, ()))}"

    def _unknown_copies(self) -> Iterator[str]:
        """Of looks, with their groups, and of voices."""
        for creation_id, copies in self.copies.items():
            if creation_id not in self.creations:
                yield from (f"HeyGen has made {each}, which nobody knows" for each in copies)

    def _key_repetitions(self) -> Iterator[str]:
        keys = Counter(each["idempotency_key"] for each in self.evidence.made("look", "voice"))
        yield from (f"HeyGen made {count} of the order {key}" for key, count in keys.items() if count > 1)

    def _creation_violations(self, pk: str, creation: Creation) -> Iterator[str]:
        waits = creation.status == EntryStatus.WAITING_FOR_CONSENT and creation.entry.name in self.unanswered
        if creation.status in PENDING and not waits:
            yield f"did not end: {creation.waiting_reason}, due {creation.due_at}, tries {creation.tries}"
            return
        if creation.entry.status != creation.status:
            yield f"its entry is {creation.entry.status}"
        yield from self._credit_violations(creation, waits=waits)
        yield from self._copy_violations(creation, self.copies[pk])

    def _credit_violations(self, creation: Creation, *, waits: bool) -> Iterator[str]:
        reference, fee = creation.money_reference, self.fees[creation.kind]
        hold, charges = self.evidence.holds[reference], self.evidence.charges[reference]
        if self.evidence.is_held(reference) != waits or hold.amount != fee:
            yield f"{hold.amount} credits are {hold.status}; the fee is {fee}"
        expected = [fee] if creation.ready_at else []
        if charges != expected:
            yield f"charged {charges}, should be {expected}"
        if (creation.credits_held, creation.credits_charged) != (fee if waits else 0, sum(expected)):
            yield f"its row says held {creation.credits_held} and charged {creation.credits_charged}"

    def _copy_violations(self, creation: Creation, copies: list[MadeObject]) -> Iterator[str]:
        good = [each["object_id"] for each in copies if each["failure"] is None]
        if len(good) > 1:
            yield f"was made and paid more than once at HeyGen: {good}"
        has_result = creation.deleted_at is None and creation.status not in (EntryStatus.FAILED, EntryStatus.REFUSED)
        present = [(each["object_id"], each["group_id"]) for each in copies if each["is_present"]]
        known = (creation.provider_object_id, creation.provider_group_id)
        if present != ([known] if has_result else []):
            yield f"HeyGen has {present}, its row says {known}, attempt {creation.attempt}"
        if creation.status == EntryStatus.READY and creation.entry.provider_id != creation.provider_object_id:
            yield f"its entry names {creation.entry.provider_id}"
        if not has_result and creation.attempt and creation.removed_at is None:
            yield f"is not removed: {creation.waiting_reason}, due {creation.due_at}"

    def _history_violations(self) -> Iterator[str]:
        histories: dict[str, list[CreationEvent]] = defaultdict(list)
        for event in CreationEvent.objects.order_by("id"):
            histories[str(event.creation_id)].append(event)
        for pk, events in histories.items():
            steps, sources = [event.to_status for event in events], [event.from_status for event in events]
            if [*sources, self.creations[pk].status] != ["", *steps]:
                yield f"{pk}: its history has a gap: {list(zip(sources, steps, strict=True))}"

    def _mail_violations(self) -> Iterator[str]:
        """By account: a sent mail no longer says what it was about, and one about what is deleted may be dropped."""
        least: Counter[tuple[str, UUID]] = Counter()
        most: Counter[tuple[str, UUID]] = Counter()
        for each in self.creations.values():
            if each.ready_at is not None or (each.status == EntryStatus.FAILED and each.error_code != "deleted"):
                kind = MailKind.OWN_AVATAR_READY if each.ready_at else MailKind.OWN_AVATAR_FAILED
                most[kind.value, each.account_id] += 1
                least[kind.value, each.account_id] += each.deleted_at is None
        mails = Counter(QueuedMail.objects.filter(kind__in=MailKind.values).values_list("kind", "account"))
        for which in most.keys() | mails.keys():
            if not least[which] <= mails[which] <= most[which]:
                yield f"{which}: {mails[which]} mails were written, should be {least[which]} to {most[which]}"

    def _catalogue_violations(self) -> Iterator[str]:
        for model in (Avatar, Voice):
            for entry in model.objects.filter(is_own=False, is_private=True):
                yield f"the sync took {entry.provider_id} {entry.name!r} for one of the operator's own"


def describe_creation(creation: Creation) -> str:
    events = " → ".join(f"{event.to_status} ({event.reason})" for event in creation.events.order_by("id"))
    facts = f"due {creation.due_at}, deleted {creation.deleted_at}, removed {creation.removed_at}"
    return f"{creation} {creation.status}: {creation.waiting_reason!r}, {facts}\n    {events}"

"""What a chaos run left: the customers' answers, the sandbox's records, holds and charges."""

from collections import defaultdict
from typing import Any

from avatars.own.copies import creation_id_in
from billing.enums import EntryKind, HoldStatus
from billing.models import Hold, LedgerEntry
from videos.tests.chaos.customers import Customer

Render = dict[str, Any]
MadeObject = dict[str, Any]


class Evidence:
    """`charges`: credits by reference. `copies`: own looks and voices at HeyGen by the id of their creation."""

    def __init__(self, customers: list[Customer], renders: list[Render], made_objects: list[MadeObject]) -> None:
        self.customers, self.renders, self.made_objects = customers, renders, made_objects
        self.holds = {hold.reference: hold for hold in Hold.objects.all()}
        self.charges: dict[str, list[int]] = defaultdict(list)
        for entry in LedgerEntry.objects.filter(kind=EntryKind.CHARGE):
            self.charges[entry.reference].append(-entry.credits)

    def made(self, *kinds: str) -> list[MadeObject]:
        """In the order in which they were made."""
        return [each for each in self.made_objects if each["kind"] in kinds]

    @property
    def copies(self) -> dict[str, list[MadeObject]]:
        found: dict[str, list[MadeObject]] = defaultdict(list)
        for each in self.made("look", "voice"):
            found[str(creation_id_in(each["name"]))].append(each)
        return found

    def is_held(self, reference: str) -> bool:
        return self.holds[reference].status == HoldStatus.OPEN

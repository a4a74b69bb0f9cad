"""Invariants of speech: a text is spoken and charged once, and a video with it costs what the speech said."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from billing.models import Fee
from videos.enums import SpeechStatus, Status
from videos.models import Speech, Video
from videos.tests.chaos.evidence import Evidence, MadeObject
from videos.tests.chaos.plan import FREE_SPEECH_SECONDS

MINUTE = 60


class SpeechCheck:
    """`violations` names each broken invariant with its evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.speeches = {str(speech.pk): speech for speech in Speech.objects.select_related("voice")}
        self.fee = Fee.objects.filter(what="speech").order_by("valid_from").last().credits
        self.spoken: dict[str, list[MadeObject]] = defaultdict(list)
        for each in evidence.made("speech"):
            # speech.<id>.<number of the order>
            self.spoken[each["idempotency_key"].split(".")[1]].append(each)

    def violations(self) -> Iterator[str]:
        yield from self._key_violations()
        yield from self._text_violations()
        for pk, speech in self.speeches.items():
            for what in self._speech_violations(pk, speech):
                yield f"speech {pk} ({speech.status}): {what}"
        yield from self._free_seconds_violations()
        yield from self._price_violations()

    def _key_violations(self) -> Iterator[str]:
        answered = [ids for each in self.evidence.customers for ids in each.material.speeches.values()]
        for ids in answered:
            if len(ids) != 1:
                yield f"a text that was asked for again was answered with the speeches {sorted(ids)}"
        if self.speeches.keys() != set().union(*answered):
            yield f"speeches that no answer named: {self.speeches.keys() - set().union(*answered)}"
        yield from (f"HeyGen spoke {pk} for nobody" for pk in self.spoken.keys() - self.speeches.keys())

    def _text_violations(self) -> Iterator[str]:
        # One without words was spoken by a voice that is deleted.
        useful = [each for each in self.speeches.values() if each.status != SpeechStatus.FAILED and each.text_sha256]
        texts = Counter((each.account_id, each.text_sha256) for each in useful)
        yield from (f"{count} speeches of one text: {text}" for text, count in texts.items() if count > 1)

    def _speech_violations(self, pk: str, speech: Speech) -> Iterator[str]:
        if speech.status == SpeechStatus.CREATING:
            yield f"did not end: {speech.waiting_reason}"
            return
        if _has_lost_its_voice(speech) and (speech.script or speech.audio_id):
            yield "its voice is deleted, and it can still be heard"
        paid = [each["charged"] for each in self.spoken[pk]]
        if len(paid) > 1 or (speech.status == SpeechStatus.READY and len(paid) != 1):
            yield f"HeyGen was paid {paid} for it"
        if self.evidence.is_held(speech.money_reference):
            yield "its credits are still held"
        expected, charges = self._expected(speech), self.evidence.charges[speech.money_reference]
        if charges != ([expected] if expected else []) or speech.credits_charged != expected or speech.credits_held:
            yield f"charged {charges}, its row says {speech.credits_charged}, should be {expected}"

    def _expected(self, speech: Speech) -> int:
        if speech.status != SpeechStatus.READY or speech.duration_seconds is None:
            return 0
        minutes = math.ceil((speech.duration_seconds - speech.free_seconds) / MINUTE)
        return int(min(self.fee * minutes, self.evidence.holds[speech.money_reference].amount))

    def _free_seconds_violations(self) -> Iterator[str]:
        used: dict[object, Decimal] = defaultdict(Decimal)
        for speech in self.speeches.values():
            used[speech.account_id, speech.created_at.date()] += speech.free_seconds
        for day, seconds in used.items():
            if seconds > FREE_SPEECH_SECONDS:
                yield f"{day} had {seconds} free seconds of {FREE_SPEECH_SECONDS}"

    def _price_violations(self) -> Iterator[str]:
        prices = {name: price for each in self.evidence.customers for name, price in each.material.prices.items()}
        for video in Video.objects.exclude(speech=None).filter(status=Status.COMPLETED):
            price, charges = prices[video.metadata["order"]], self.evidence.charges[video.money_reference]
            if charges != [price]:
                yield f"{video.pk} costs {charges}, and its speech said {price}"


def _has_lost_its_voice(speech: Speech) -> bool:
    is_own = speech.voice.is_own and speech.status == SpeechStatus.READY
    return is_own and speech.voice.creation.deleted_at is not None

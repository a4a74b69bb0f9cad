"""Helpers of the tests of the check of texts: rules, and outside services."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any
from uuid import UUID

from accounts.models import ModerationRule
from accounts.moderation import checks
from accounts.moderation.hook import Answer
from genvid.errors import ContentRefused
from genvid.tests.factories import Person

REASON = "Not in our house."


def make_rule(text: str = "forbidden", **fields: Any) -> ModerationRule:
    return ModerationRule.objects.create(text=text, **{"reason": REASON, **fields})


def refusal_of_texts(person: Person, **texts: str) -> Mapping[str, str] | None:
    """The reasons by field; None where all are allowed."""
    try:
        checks.require_allowed(person.account.pk, texts, user_id=person.user.pk)
    except ContentRefused as refusal:
        return refusal.details
    return None


# ── Outside services: what MODERATION_HOOK names

asked: list[tuple[UUID, dict[str, str]]] = []
hanging = Event()


@contextmanager
def released() -> Iterator[None]:
    """Services that hang do so until the end of the block."""
    hanging.clear()
    try:
        yield
    finally:
        hanging.set()


def allow(account_id: UUID, texts: Mapping[str, str]) -> Mapping[str, Answer]:
    asked.append((account_id, dict(texts)))
    return {}


def refuse_bombs(account_id: UUID, texts: Mapping[str, str]) -> Mapping[str, Answer]:
    return {field: Answer("refuse", "No bombs.") for field, text in texts.items() if "bomb" in text}


def doubt_bombs(account_id: UUID, texts: Mapping[str, str]) -> Mapping[str, Answer]:
    return {field: Answer("review", "Perhaps a bomb.") for field, text in texts.items() if "bomb" in text}


def crash(account_id: UUID, texts: Mapping[str, str]) -> Mapping[str, Answer]:
    raise ConnectionError("no answer")


def hang(account_id: UUID, texts: Mapping[str, str]) -> Mapping[str, Answer]:
    hanging.wait(600)
    return {}


def answer_about_another_field(account_id: UUID, texts: Mapping[str, str]) -> Mapping[str, Answer]:
    return {"another": Answer("refuse", "")}


def answer_another_word(account_id: UUID, texts: Mapping[str, str]) -> Mapping[str, Answer]:
    return {field: Answer("perhaps", "") for field in texts}


def answer_no_mapping(account_id: UUID, texts: Mapping[str, str]) -> Any:
    return 7

"""A ready-made MODERATION_HOOK, `accounts.moderation.http_service.ask`: posts texts as JSON to the operator's service.

docs/moderation.md shows request and answer.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.moderation.hook import Answer, HookFailed
from genvid import http

MOST_ANSWER_BYTES = 2**20


def ask(account_id: UUID, texts: Mapping[str, str]) -> dict[str, Answer]:
    """What the service says against the texts, by field. Raises HttpError and HookFailed, and then has failed."""
    secret = settings.MODERATION_HTTP_SECRET
    reply = http.send(
        "POST",
        settings.MODERATION_HTTP_URL,
        timeout=settings.MODERATION_HOOK_TIMEOUT,
        # The operator's own address, which may be in the private network.
        allow_private=True,
        headers={"Authorization": f"Bearer {secret}"} if secret else {},
        json={"account_id": str(account_id), "texts": dict(texts)},
        max_bytes=MOST_ANSWER_BYTES,
    )
    if reply.status != 200:
        raise HookFailed(f"it answered with status {reply.status}")
    return _answers_in(http.parse_json(reply.body))


def _answers_in(said: Any) -> dict[str, Answer]:
    answers = said.get("answers") if isinstance(said, dict) else None
    if not isinstance(answers, dict):
        raise HookFailed("its JSON has no object `answers`")
    return {str(field): _answer_of(each) for field, each in answers.items()}


def _answer_of(said: Any) -> Answer:
    outcome, reason = (said.get("outcome"), said.get("reason")) if isinstance(said, dict) else (None, None)
    if not isinstance(outcome, str) or not isinstance(reason, str):
        raise HookFailed("an answer of it lacks `outcome` or `reason`")
    return Answer(outcome, reason)

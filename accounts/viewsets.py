"""Base class of the viewsets that act for an account."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts import idempotency
from accounts.auth.email_verification import require_verified_email
from accounts.caller import Caller, caller_of
from accounts.moderation.checks import require_allowed
from genvid.api.viewsets import StrictViewSet


class AccountViewSet(StrictViewSet):
    """Limits querysets to the caller's account and replays responses by `Idempotency-Key`."""

    owned_by: ClassVar[Mapping[str, str]] = {"account": "account_id"}
    """Model lookup to attribute of the caller, as filters of the queryset."""

    object_id: UUID
    """For what an action with `Idempotency-Key` makes: the primary key, the same for each repetition of the request."""

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    def get_queryset(self) -> QuerySet[Any]:
        mine = {lookup: getattr(self.caller, attribute) for lookup, attribute in self.owned_by.items()}
        return super().get_queryset().filter(**mine)

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if self.endpoint.verified_email:
            require_verified_email(self.caller.user_id)

    def perform(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.endpoint.is_idempotent:
            self._require_allowed_texts()
            return super().perform(request, *args, **kwargs)

        def act(object_id: UUID) -> HttpResponseBase:
            self.object_id = object_id
            return super(AccountViewSet, self).perform(request, *args, **kwargs)

        return idempotency.run_once(request, self.endpoint.idempotency, prepare=self._prepare, act=act)

    def _prepare(self) -> None:
        """Validate the body before the transaction starts: this may do a DNS lookup or parse a large file."""
        if self.endpoint.request is not None:
            _ = self.body
        self._require_allowed_texts()

    def texts_to_check(self) -> Mapping[str, str]:
        """What the action would have spoken or shown, by field of its body. The operator may refuse it."""
        return {}

    def _require_allowed_texts(self) -> None:
        """Before the action and its transaction: an outside service may be asked."""
        if texts := self.texts_to_check():
            require_allowed(self.caller.account_id, texts, user_id=self.caller.user_id)

"""The base of the viewsets that act for an account: whose rows they see, and what a repeated request does."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts import idempotency
from accounts.auth.email_verification import require_verified_email
from accounts.caller import Caller, caller_of
from genvid.api.viewsets import StrictViewSet


class AccountViewSet(StrictViewSet):
    """Starts every queryset from the caller, and answers a repeated `Idempotency-Key` with the stored answer."""

    owned_by: ClassVar[Mapping[str, str]] = {"account": "account_id"}
    """Lookup of the model to attribute of the caller: which rows are the caller's."""

    @property
    def caller(self) -> Caller:
        """Who is calling. TypeError on an endpoint that lets anonymous callers in."""
        return caller_of(self.request)

    def get_queryset(self) -> QuerySet[Any]:
        mine = {lookup: getattr(self.caller, attribute) for lookup, attribute in self.owned_by.items()}
        return super().get_queryset().filter(**mine)

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if self.endpoint.verified_email:
            require_verified_email(self.caller.user_id)

    def perform(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Run the action, once for each `Idempotency-Key` where the endpoint declares to read it."""
        if not self.endpoint.is_idempotent:
            return super().perform(request, *args, **kwargs)
        return idempotency.run_once(
            request,
            self.endpoint.idempotency,
            prepare=self._read_body,
            act=lambda: super(AccountViewSet, self).perform(request, *args, **kwargs),
        )

    def _read_body(self) -> None:
        """Check the body before a transaction is open: it may look up a name in the DNS, or read a thousand rows."""
        if self.endpoint.request is not None:
            _ = self.body

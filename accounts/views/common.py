"""What the views of this room share: open views, and who is calling."""

from typing import Any

from rest_framework.request import Request

from accounts.caller import caller_of
from accounts.models import Membership, User
from genvid.api.views import StrictAPIView
from genvid.errors import NotAuthenticated


class AnonymousView(StrictAPIView):
    """Open to everybody: a stale token in the header must not keep anybody from signing in."""

    authentication_classes = ()
    permission_classes = ()


def user_of(request: Request) -> User:
    user: User | None = User.objects.filter(pk=caller_of(request).user_id, is_active=True).first()
    if user is None:
        raise NotAuthenticated
    return user


def account_of(request: Request) -> dict[str, Any]:
    caller = caller_of(request)
    membership = (
        Membership.objects.filter(user=caller.user_id, account=caller.account_id).select_related("account").first()
    )
    if membership is None:
        raise NotAuthenticated
    return {"id": membership.account_id, "name": membership.account.name, "role": membership.role}

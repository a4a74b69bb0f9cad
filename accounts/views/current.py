"""The caller's current rows in the database; credentials only name them."""

from accounts.caller import Caller
from accounts.models import Membership, User
from genvid.errors import NotAuthenticated


def current_user(caller: Caller) -> User:
    user: User | None = User.objects.filter(pk=caller.user_id, is_active=True).first()
    if user is None:
        raise NotAuthenticated
    return user


def current_membership(caller: Caller) -> Membership:
    memberships = Membership.objects.filter(user=caller.user_id, account=caller.account_id).select_related("account")
    mine: Membership | None = memberships.first()
    if mine is None:
        raise NotAuthenticated
    return mine

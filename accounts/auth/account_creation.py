"""Creates accounts, and chooses the account that a sign-in leads to."""

from uuid import UUID

from django.utils import timezone

from accounts.enums import Role
from accounts.models import Account, Membership, User
from accounts.signals import account_registered

MAX_NAME_LENGTH = 150


def create_person(user: User) -> Membership:
    """Insert the user and the account that they own. Call it inside a transaction."""
    user.welcomed_at = timezone.now()
    user.save(force_insert=True)
    return _create_account(user, is_first=True)


def create_account(user: User) -> Membership:
    """Create an account owned by the user and send `account_registered`. Call it inside a transaction."""
    # One statement checks and sets it, so that a person gets welcome credits once, however many accounts they open.
    is_first = User.objects.filter(pk=user.pk, welcomed_at=None).update(welcomed_at=timezone.now()) == 1
    return _create_account(user, is_first=is_first)


def _create_account(user: User, *, is_first: bool) -> Membership:
    name = user.company_name or user.full_name or user.email.partition("@")[0]
    account = Account.objects.create(name=name[:MAX_NAME_LENGTH])
    membership = Membership.objects.create(user=user, account=account, role=Role.OWNER, last_used_at=timezone.now())
    account_registered.send(sender=Account, account=account, user=user, is_first=is_first)
    return membership


def oldest_owned_account_id(user_id: UUID) -> UUID | None:
    owned = Membership.objects.filter(user=user_id, role=Role.OWNER).order_by("created_at")
    return owned.values_list("account", flat=True).first()


def membership_for_sign_in(user: User) -> Membership:
    """The membership used last; a user without one gets a new account. Call it inside a transaction."""
    last: Membership | None = Membership.objects.filter(user=user).last_used()
    if last is not None:
        return last
    # Lock the user: of two concurrent sign-ins, one creates the account and the other finds it.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    found: Membership | None = Membership.objects.filter(user=user).last_used()
    return found or create_account(user)


def record_membership_use(membership: Membership) -> None:
    Membership.objects.filter(pk=membership.pk).update(last_used_at=timezone.now())

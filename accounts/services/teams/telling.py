"""The mails of a team. A worker sends them: what is true by then is what they say."""

from uuid import UUID

from accounts import team_mail
from accounts.enums import Role
from accounts.models import Account, Invitation, Membership, User
from accounts.services.teams.inviting import token_of


def invited(invitation_id: UUID) -> None:
    """Unless it was taken back or accepted meanwhile."""
    found = Invitation.objects.filter(pk=invitation_id).select_related("account", "invited_by").first()
    if found is not None:
        team_mail.send_invitation(found, token_of(found))


def removed(user_id: UUID, account_id: UUID) -> None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None and not Membership.objects.filter(user=user, account=account_id).exists():
        team_mail.send_removed(user, Account.objects.get(pk=account_id))


def made_owner(user_id: UUID, account_id: UUID) -> None:
    mine = Membership.objects.filter(user=user_id, account=account_id, role=Role.OWNER, user__is_active=True)
    membership = mine.select_related("user", "account").first()
    if membership is not None:
        team_mail.send_new_owner(membership.user, membership.account)

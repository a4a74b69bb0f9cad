"""What we write to people about the accounts that they join, leave or own."""

import re

from django.conf import settings
from django.core.mail import send_mail

from accounts.models import Account, Invitation, User

LONGEST_NAME = 60


def send_invitation(invitation: Invitation, token: str) -> None:
    inviter = invitation.invited_by.email if invitation.invited_by else "A member"
    _send(
        "You are invited to an account on genvid",
        f'{inviter} invites you to the account "{harmless(invitation.account.name)}" on genvid, '
        f"as {invitation.get_role_display().lower()}.\n\n"
        f"Open this page to accept:\n{settings.PUBLIC_URL}/?invitation={token}\n\n"
        "The link is good for 7 days and works once. If you do not know the sender, ignore this message.\n",
        invitation.email,
    )


def send_removed(user: User, account: Account) -> None:
    _send(
        "You no longer belong to an account on genvid",
        f'You were removed from the account "{harmless(account.name)}" on genvid.\n\n'
        "You can still sign in: to another account of yours, or to a new one that is opened for you then.\n",
        user.email,
    )


def send_new_owner(user: User, account: Account) -> None:
    _send(
        "You own an account on genvid now",
        f'You are an owner of the account "{harmless(account.name)}" on genvid now.\n\n'
        "Owners manage its members, its payments and its API keys, and read its audit log.\n",
        user.email,
    )


def harmless(name: str) -> str:
    """A name that strangers chose, for a mail that we send: one short line, and nothing that looks like a link."""
    line = " ".join(name.split())[:LONGEST_NAME]
    return re.sub(r"(?<=\w)\.(?=\w)", ". ", line.replace("://", ": "))


def _send(subject: str, text: str, address: str) -> None:
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])

"""What mails about the accounts that people join, leave or own say."""

import re

from django.conf import settings

from accounts.models import Account, Invitation, User
from genvid.mail.composing import Message

LONGEST_NAME = 60


def invitation(invitation: Invitation, token: str) -> Message:
    inviter = invitation.invited_by.email if invitation.invited_by else "A member"
    return Message(
        "You are invited to an account on genvid",
        f'{inviter} invites you to the account "{harmless(invitation.account.name)}" on genvid, '
        f"as {invitation.get_role_display().lower()}.\n\n"
        f"Open this page to accept:\n{settings.PUBLIC_URL}/?invitation={token}\n\n"
        "The link is good for 7 days and works once. If you do not know the sender, ignore this message.\n",
        [invitation.email],
    )


def removed(user: User, account: Account) -> Message:
    return Message(
        "You no longer belong to an account on genvid",
        f'You were removed from the account "{harmless(account.name)}" on genvid.\n\n'
        "You can still sign in: to another account of yours, or to a new one that is opened for you then.\n",
        [user.email],
    )


def new_owner(user: User, account: Account) -> Message:
    return Message(
        "You own an account on genvid now",
        f'You are an owner of the account "{harmless(account.name)}" on genvid now.\n\n'
        "Owners manage its members, its payments and its API keys, and read its audit log.\n",
        [user.email],
    )


def harmless(name: str) -> str:
    """A name that strangers chose, for a mail that we send: one short line, and nothing that looks like a link."""
    line = " ".join(name.split())[:LONGEST_NAME]
    return re.sub(r"(?<=\w)\.(?=\w)", ". ", line.replace("://", ": "))

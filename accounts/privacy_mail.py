"""What mails about somebody's own data say."""

from datetime import datetime

from django.conf import settings

from accounts.models import User
from genvid.mail.composing import Message


def export(user: User, link: str, until: datetime) -> Message:
    return Message(
        "Your data",
        f"Here is everything that we hold on you, as a ZIP file of JSON files:\n{link}\n\n"
        f"Whoever has this link can fetch it until {_day(until)}; then the file is removed.\n"
        "If you did not ask for it, change your password now.\n",
        [user.email],
    )


def erasure_planned(user: User, erase_after: datetime) -> Message:
    return Message(
        "Your data will be erased",
        f"As you asked, we will erase your data, and the accounts that only you belong to, after {_day(erase_after)}.\n"
        "You have been signed out everywhere, and your API keys no longer work.\n\n"
        f"If you change your mind, sign in before then ({settings.PUBLIC_URL}/): that withdraws it.\n"
        "What we have to keep of your payments is kept without your name.\n",
        [user.email],
    )


def erasure_withdrawn(user: User) -> Message:
    return Message(
        "Your data will not be erased",
        "You signed in, and so took back your wish to be erased. Everything is as it was, but for your API keys:\n"
        "they stay revoked, and you can make new ones.\n\n"
        "If it was not you who signed in, change your password now.\n",
        [user.email],
    )


def _day(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M} UTC"

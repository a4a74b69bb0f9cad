"""Staff at the admin: somebody with certain permissions, and what a page tells them."""

import uuid
from collections.abc import Iterable
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from genvid.panels import Panel
from genvid.tests.factories import PASSWORD

_numbers = count(1)


class Employee(Client):
    user: User


def employee(*permissions: str) -> Employee:
    """A staff user with these permissions, by code name, signed in to the admin."""
    user = User.objects.create_user(f"staff{next(_numbers)}@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Employee()
    client.force_login(user)
    client.user = user
    return client


def post_act(staff: Client, url: str, token: uuid.UUID | None = None, **given: Any) -> Any:
    """Confirm an act, as its page does, and follow to where it leads."""
    return staff.post(url, {"confirmed": "yes", "token": str(token or uuid.uuid4()), **given}, follow=True)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def panels_of(response: Any) -> list[Panel]:
    found: list[Panel] = response.context["panels"]
    return found


def titles_of(panels: Iterable[Panel]) -> list[str]:
    return [panel.title for panel in panels]


def panel_named(response: Any, title: str) -> Panel:
    (found,) = (panel for panel in panels_of(response) if panel.title == title)
    return found

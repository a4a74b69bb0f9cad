"""Mails to members of a team; names chosen by users cannot put links into them."""

import re

import pytest

from accounts.enums import Role
from accounts.models import Account, Membership
from accounts.teams import members
from genvid.mail.templatetags.mail import plain_name
from genvid.tests.asserts import data_of
from genvid.tests.factories import PASSWORD, JsonClient, make_invitation
from genvid.tests.mail import send_due_mail

pytestmark = pytest.mark.django_db
INVITATIONS, ACCEPT = "/api/v1/team/invitations", "/api/v1/auth/invitations/accept"


def recipients(mailoutbox) -> list[list[str]]:
    """Recipients of all mails but verification mails."""
    return [mail.to for mail in mailoutbox if mail.subject != "Verify your e-mail address"]


def test_an_invitation_is_mailed_with_a_link_that_works(owner, mailoutbox, work_at_once, settings):
    settings.PUBLIC_URL = "https://genvid.example"
    with work_at_once():
        owner.client.post(INVITATIONS, {"email": "new@example.com", "role": "viewer"})
    (mail,) = mailoutbox
    assert (mail.to, "owner@example.com" in mail.body, '"Olive Films"' in mail.body) == (
        ["new@example.com"],
        True,
        True,
    )
    token = re.search(r"^https://genvid\.example/\?invitation=(\S+)$", mail.body, re.MULTILINE)[1]
    joined = data_of(JsonClient().post(ACCEPT, {"token": token, "password": PASSWORD}))
    assert joined["account"]["role"] == "viewer"


def test_revoked_invitation_is_not_mailed(owner, mailoutbox):
    invitation = make_invitation(owner)
    owner.client.delete(f"{INVITATIONS}/{invitation.pk}")
    send_due_mail()
    assert recipients(mailoutbox) == []


def test_removed_member_gets_a_mail(owner, teammate, mailoutbox, work_at_once):
    with work_at_once():
        owner.client.delete(f"/api/v1/team/members/{teammate.user.pk}")
    (mail,) = mailoutbox
    assert (mail.to, '"Olive Films"' in mail.body) == ([teammate.user.email], True)


def test_member_who_leaves_gets_no_mail(teammate, mailoutbox, work_at_once):
    with work_at_once():
        teammate.client.post("/api/v1/team/leave")
    assert mailoutbox == []


@pytest.mark.parametrize("way", ["transfer", "role"])
def test_new_owner_gets_a_mail(owner, teammate, mailoutbox, work_at_once, way):
    with work_at_once():
        if way == "role":
            owner.client.patch(f"/api/v1/team/members/{teammate.user.pk}", {"role": "owner"})
        else:
            payload = {"user_id": str(teammate.user.pk), "password": owner.password}
            owner.client.post("/api/v1/team/transfer-ownership", payload)
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        ([teammate.user.email], "You own an account on genvid now")
    ]


def test_former_owner_gets_no_mail_about_becoming_owner(owner, teammate, mailoutbox):
    members.mail_new_owner(teammate.user.pk, owner.account.pk)
    send_due_mail()
    assert recipients(mailoutbox) == []


def test_member_who_rejoined_gets_no_removal_mail(owner, teammate, mailoutbox):
    Membership.objects.filter(user=teammate.user).update(role=Role.VIEWER)
    members.mail_removal(teammate.user.pk, owner.account.pk)
    send_due_mail()
    assert recipients(mailoutbox) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Olive Films", "Olive Films"),
        ("Acme Inc.", "Acme Inc."),
        ("Win\r\nBcc: all@example.com", "Win Bcc: all@example. com"),
        ("Click https://evil.example/x now", "Click https: evil. example/x now"),
        ("x" * 150, "x" * 60),
    ],
    ids=["plain", "full_stop", "header", "link", "long"],
)
def test_names_in_mails_are_one_short_line_without_links(name, shown):
    assert plain_name(name) == shown


def test_multi_line_names_do_not_break_mails(owner, mailoutbox):
    Account.objects.update(name="Olive\nBcc: all@example.com")
    make_invitation(owner, email="new@example.com")
    send_due_mail()
    assert recipients(mailoutbox) == [["new@example.com"]]

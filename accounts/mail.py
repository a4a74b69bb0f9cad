"""What mails about access say."""

from django.conf import settings

from accounts.models import User, WebhookEndpoint
from genvid.mail.composing import Message


def verification(user: User, token: str) -> Message:
    return Message(
        "Verify your e-mail address",
        f"Welcome to genvid.\n\nOpen this page to verify your address:\n{settings.PUBLIC_URL}/?verify={token}\n\n"
        "The link is good for 24 hours. If you did not register, ignore this message.\n",
        [user.email],
    )


def password_reset(user: User, token: str) -> Message:
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    return Message(
        "Reset your password",
        f"Somebody, hopefully you, asked for a new password on genvid.\n\n"
        f"Open this page to choose one:\n{settings.PUBLIC_URL}/?reset={token}\n\n"
        f"The link is good for {minutes} minutes and works once. If it was not you, ignore this message:\n"
        "your password stays as it is.\n",
        [user.email],
    )


def password_changed(user: User) -> Message:
    return Message(
        "Your password was changed",
        "The password of your genvid account was changed, and every session was signed out.\n\n"
        f"If it was not you, reset it at once: {settings.PUBLIC_URL}/?forgot\n",
        [user.email],
    )


def totp_changed(user: User, *, is_on: bool) -> Message:
    state = "on" if is_on else "off"
    return Message(
        f"Your second factor was switched {state}",
        f"Signing in to your genvid account with a code of an authenticator app was switched {state}.\n\n"
        f"If it was not you, reset your password at once: {settings.PUBLIC_URL}/?forgot\n",
        [user.email],
    )


def endpoint_off(endpoint: WebhookEndpoint, owners: list[str]) -> Message:
    return Message(
        "A webhook endpoint was switched off",
        f"We stopped sending webhooks of {endpoint.account.name} to\n{endpoint.url}\n"
        f"because {endpoint.get_disabled_reason_display()}.\n\n"
        "Events that happen now are not kept for it. When it works again, switch it on\n"
        f"(PATCH {settings.PUBLIC_URL}/api/v1/webhook-endpoints/{endpoint.pk} with enabled: true);\n"
        "what was still waiting from the last three days is sent then.\n",
        owners,
    )

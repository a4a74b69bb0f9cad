"""What we write to people."""

from django.conf import settings
from django.core.mail import send_mail

from accounts.contacts import owners_of
from accounts.models import User, WebhookEndpoint


def send_verification(user: User, token: str) -> None:
    send_mail(
        "Verify your e-mail address",
        f"Welcome to genvid.\n\nOpen this page to verify your address:\n{settings.PUBLIC_URL}/?verify={token}\n\n"
        "The link is good for 24 hours. If you did not register, ignore this message.\n",
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
    )


def send_password_reset(user: User, token: str) -> None:
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    send_mail(
        "Reset your password",
        f"Somebody, hopefully you, asked for a new password on genvid.\n\n"
        f"Open this page to choose one:\n{settings.PUBLIC_URL}/?reset={token}\n\n"
        f"The link is good for {minutes} minutes and works once. If it was not you, ignore this message:\n"
        "your password stays as it is.\n",
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
    )


def send_password_changed(user: User) -> None:
    send_mail(
        "Your password was changed",
        "The password of your genvid account was changed, and every session was signed out.\n\n"
        f"If it was not you, reset it at once: {settings.PUBLIC_URL}/?forgot\n",
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
    )


def send_totp_changed(user: User, *, is_on: bool) -> None:
    state = "on" if is_on else "off"
    send_mail(
        f"Your second factor was switched {state}",
        f"Signing in to your genvid account with a code of an authenticator app was switched {state}.\n\n"
        f"If it was not you, reset your password at once: {settings.PUBLIC_URL}/?forgot\n",
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
    )


def send_endpoint_off(endpoint: WebhookEndpoint) -> None:
    """To every owner of the account: their programs have stopped hearing from us."""
    send_mail(
        "A webhook endpoint was switched off",
        f"We stopped sending webhooks of {endpoint.account.name} to\n{endpoint.url}\n"
        f"because {endpoint.get_disabled_reason_display()}.\n\n"
        "Events that happen now are not kept for it. When it works again, switch it on\n"
        f"(PATCH {settings.PUBLIC_URL}/api/v1/webhook-endpoints/{endpoint.pk} with enabled: true);\n"
        "what was still waiting from the last three days is sent then.\n",
        settings.DEFAULT_FROM_EMAIL,
        owners_of(endpoint.account_id),
    )

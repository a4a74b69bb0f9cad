"""What we write to people."""

from django.conf import settings
from django.core.mail import send_mail

from accounts.models import User


def send_verification(user: User, token: str) -> None:
    send_mail(
        "Verify your e-mail address",
        f"Welcome to genvid.\n\nOpen this page to verify your address:\n{settings.PUBLIC_URL}/?verify={token}\n\n"
        "The link is good for 24 hours. If you did not register, ignore this message.\n",
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
    )

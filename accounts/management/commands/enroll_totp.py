"""`manage.py enroll_totp EMAIL`: creates an authenticator and recovery codes for a user, such as new staff."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.auth import totp
from accounts.models import User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--again", action="store_true", help="replace the authenticator and the recovery codes")

    def handle(self, *args: Any, email: str, again: bool, **options: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"No user has the address {email}.")
        if totp.authenticator_of(user) is not None and not again:
            raise CommandError(f"{user.email} has an authenticator; --again replaces it.")
        device, codes = totp.enroll_by_operator(user)
        self.stdout.write(f"For the authenticator app:\n{device.url}\n\nRecovery codes, each good once:")
        self.stdout.write("\n".join(codes))

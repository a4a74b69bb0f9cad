"""`manage.py ensure_demo_admin`: creates a superuser for `make run` from DEMO_ADMIN_EMAIL and DEMO_ADMIN_PASSWORD."""

import os
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import User


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        email, password = os.environ.get("DEMO_ADMIN_EMAIL"), os.environ.get("DEMO_ADMIN_PASSWORD")
        if not email or not password or User.objects.filter(email=email.lower()).exists():
            return
        User.objects.create_superuser(email, password, email_verified_at=timezone.now())
        self.stdout.write(f"Made the staff login {email}.")

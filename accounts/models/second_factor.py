"""Models of the second factor: TOTP authenticators and recovery codes."""

import base64
import re
import time
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django_otp.models import Device
from django_otp.oath import TOTP
from encrypted_fields.fields import EncryptedTextField

from accounts.models.people import User

STEP_SECONDS = 30
TOLERANCE_STEPS = 1
CODE_PATTERN = re.compile(r"[0-9]{6}")


class Authenticator(Device):
    """Replaces django-otp's TOTPDevice, which stores the secret in plain text, shows it in the admin, and throttles by
    device, so that anybody who guesses codes locks the person out.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator")
    name = models.CharField(max_length=64, default="authenticator app", db_default="authenticator app", editable=False)
    confirmed = models.BooleanField(default=False, db_default=False)
    secret = EncryptedTextField(help_text="Base32, as the app gets it.")
    last_step = models.BigIntegerField(
        default=-1, db_default=-1, help_text="Of the last code that was used: each is good once."
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"Authenticator of {self.user_id}"

    @property
    def url(self) -> str:
        label = quote(f"{settings.BRAND_NAME}:{self.user.email}")
        parameters = {"secret": self.secret, "issuer": settings.BRAND_NAME, "digits": 6, "period": STEP_SECONDS}
        return f"otpauth://totp/{label}?{urlencode(parameters)}"

    def verify_token(self, token: str) -> bool:
        """Consume a code: each one, and every older one, is accepted once."""
        step = self._step_of(token)
        if step is None:
            return False
        used: int = Authenticator.objects.filter(pk=self.pk, last_step__lt=step).update(last_step=step)
        return used == 1

    def _step_of(self, token: str) -> int | None:
        if not CODE_PATTERN.fullmatch(token):
            return None
        clock: Any = TOTP(base64.b32decode(self.secret), step=STEP_SECONDS)
        clock.time = time.time()
        return int(clock.t()) if clock.verify(int(token), TOLERANCE_STEPS, self.last_step + 1) else None


class RecoveryCode(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the code.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_unique")]

    def __str__(self) -> str:
        return f"Recovery code of {self.user_id}"

"""The second factor of a sign-in: an authenticator app, and the codes for the day it is lost."""

import base64
import re
import time
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django.utils import timezone
from django_otp.models import Device
from django_otp.oath import TOTP
from encrypted_fields.fields import EncryptedTextField

from accounts.models.people import User

STEP_SECONDS = 30
"""Seconds that a code is shown."""
TOLERANCE_STEPS = 1
"""Steps that the clock of a telephone may be wrong."""
CODE_PATTERN = re.compile(r"[0-9]{6}")


class Authenticator(Device):
    """A device of django-otp whose secret is encrypted; `confirmed` once the app has shown a right code.

    Not django-otp's own TOTPDevice: that keeps its secret in the clear, shows it to staff, and lets whoever guesses
    codes lock out the person.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator")
    name = models.CharField(max_length=64, default="authenticator app", editable=False)
    confirmed = models.BooleanField(default=False)
    secret = EncryptedTextField(help_text="Base32, as the app gets it.")
    last_step = models.BigIntegerField(default=-1, help_text="Of the last code that was used: each is good once.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"Authenticator of {self.user_id}"

    @property
    def url(self) -> str:
        """What the QR code says, in the Key URI format."""
        label = quote(f"{settings.BRAND_NAME}:{self.user.email}")
        parameters = {"secret": self.secret, "issuer": settings.BRAND_NAME, "digits": 6, "period": STEP_SECONDS}
        return f"otpauth://totp/{label}?{urlencode(parameters)}"

    def verify_token(self, token: str) -> bool:
        """Whether `token` is the code of now, and younger than any that was used: of two callers with one, one wins."""
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
    """Signs in once in the authenticator's place, and is deleted by it. Only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the code.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_unique")]

    def __str__(self) -> str:
        return f"Recovery code of {self.user_id}"

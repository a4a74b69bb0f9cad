"""Sign-up credits per mailbox and per day."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, User
from billing.enums import SignupGrantStatus
from genvid import database_clock


class SignupGrant(models.Model):
    """The sign-up credits of one mailbox. It names nobody and outlives the erasure of the account."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="signup_grant")
    mailbox = models.CharField(max_length=64, unique=True, editable=False, help_text="Keyed hash of the mailbox.")
    credits = models.PositiveIntegerField()
    status = models.CharField(
        max_length=10,
        choices=SignupGrantStatus.choices,
        default=SignupGrantStatus.WAITING,
        db_default=SignupGrantStatus.WAITING,
        db_index=True,
    )
    decided_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Empty: granted without a decision.",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "sign-up grant"

    def __str__(self) -> str:
        return f"{self.credits} credits, {self.status}"

    def decide(self, status: SignupGrantStatus, *, staff: User | None = None) -> bool:
        waiting = SignupGrant.objects.filter(pk=self.pk, status=SignupGrantStatus.WAITING)
        return waiting.update(status=status, decided_at=database_clock.now(), decided_by=staff) == 1


class SignupDay(models.Model):
    day = models.DateField(primary_key=True)
    credits = models.PositiveBigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.credits} on {self.day}"

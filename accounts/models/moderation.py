"""Models of the check of texts: the operator's rules, what an account may and did, and texts that staff review."""

import uuid

from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.enums import Outcome, ReviewState, RuleKind, Strictness
from accounts.models.people import Account, User

LONGEST_RULE = 300


class ModerationRule(models.Model):
    """A word or pattern that texts must not have. docs/moderation.md says what matches."""

    kind = models.CharField(max_length=10, choices=RuleKind.choices, default=RuleKind.WORD, db_default=RuleKind.WORD)
    text = models.CharField(
        max_length=LONGEST_RULE,
        validators=[MinLengthValidator(1)],
        help_text="A word or several, in any case; or a regular expression, matched anywhere in the text in small "
        "letters.",
    )
    reason = models.CharField(max_length=300, help_text="What the customer reads.")
    outcome = models.CharField(
        max_length=10,
        choices=Outcome.choices,
        default=Outcome.REFUSE,
        db_default=Outcome.REFUSE,
        help_text="Review: the text is refused until staff allow it for that account.",
    )
    strictness = models.CharField(
        "holds from",
        max_length=10,
        choices=[choice for choice in Strictness.choices if choice[0] != Strictness.OFF],
        default=Strictness.STANDARD,
        db_default=Strictness.STANDARD,
        help_text="Strict: for accounts that are checked strictly alone.",
    )
    is_active = models.BooleanField(default=True, db_default=True)
    note = models.CharField(max_length=300, blank=True, default="", db_default="", help_text="For staff.")
    hits = models.PositiveBigIntegerField(default=0, db_default=0, editable=False, help_text="Texts it stopped.")
    last_hit_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["text", "id"]
        constraints = [models.UniqueConstraint(fields=["kind", "text"], name="moderation_rule_unique")]

    def __str__(self) -> str:
        return self.text


class ModeratedAccount(models.Model):
    """How strictly an account is checked, and its refusals. Accounts without a row: standard, and no refusal yet.

    Only `accounts.moderation.refusals` and `accounts.moderation.staff_acts` write it.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="moderation")
    strictness = models.CharField(
        max_length=10, choices=Strictness.choices, default=Strictness.STANDARD, db_default=Strictness.STANDARD
    )
    refusals = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Since the beginning.")
    last_refused_at = models.DateTimeField(null=True)
    recent = models.JSONField(
        default=list, db_default=[], help_text="Moments of the refusals of the last hour, in seconds since 1970."
    )
    blocks = models.PositiveIntegerField(default=0, db_default=0, help_text="Slow-downs in a row.")
    blocked_until = models.DateTimeField(null=True, help_text="Texts are not looked at before.")

    class Meta:
        ordering = ["-last_refused_at", "account"]
        verbose_name = "check of an account"
        verbose_name_plural = "checks of accounts"
        indexes = [models.Index(fields=["-last_refused_at", "account"], name="moderated_lately")]

    def __str__(self) -> str:
        return f"{self.strictness}, {self.refusals} refusals"


class ReviewedText(models.Model):
    """A text that waits for staff, or their decision on it. It holds for that account and this exact text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="reviewed_texts", db_index=False)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the text.")
    text = models.TextField()
    field = models.CharField(max_length=100, help_text="Of the request.")
    why = models.CharField(max_length=300, help_text="The reason of the rule, or of the outside service.")
    sent_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    state = models.CharField(
        max_length=10, choices=ReviewState.choices, default=ReviewState.WAITING, db_default=ReviewState.WAITING
    )
    answer = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="What the customer reads if it is refused."
    )
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="reviewed_text_unique")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="reviewed_text_page"),
            models.Index(
                fields=["created_at", "account"],
                name="reviewed_text_waiting",
                condition=models.Q(state=ReviewState.WAITING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.created_at:%Y-%m-%d %H:%M}"

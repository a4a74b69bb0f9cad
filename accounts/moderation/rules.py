"""The operator's rules as a process remembers them for some seconds."""

from django.db.models.signals import post_delete, post_save

from accounts.models import ModerationRule
from accounts.moderation.matching import Rule, RuleBook, rule_book
from genvid.process_cache import Remembered

REMEMBERED_SECONDS = 5.0
"""So long another process may go by former rules."""
COLUMNS = ("id", "kind", "text", "reason", "outcome", "strictness")


def _read() -> RuleBook:
    rows = ModerationRule.objects.filter(is_active=True).order_by("id").values_list(*COLUMNS)
    return rule_book(tuple(Rule(*row) for row in rows))


active_rules = Remembered(_read, REMEMBERED_SECONDS)
for _signal in (post_save, post_delete):
    _signal.connect(active_rules.forget, sender=ModerationRule, dispatch_uid="accounts.forget_rules")

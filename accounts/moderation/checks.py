"""Whether texts of an account are allowed: the operator's rules, an outside service, and decisions of staff."""

from collections.abc import Mapping
from uuid import UUID

import structlog
from django.db.models import F

from accounts.enums import Outcome, ReviewState, Strictness
from accounts.models import ModerationRule
from accounts.moderation import hook, refusals, reviews
from accounts.moderation.matching import Finding, Matcher, RuleBook, Watch
from accounts.moderation.reviews import Decision, Doubt
from accounts.moderation.rules import active_rules
from genvid import database_clock
from genvid.errors import MAX_DETAILS, ContentRefused
from genvid.metrics import Tally
from genvid.transactions import is_in_transaction

logger = structlog.get_logger(__name__)
IN_REVIEW = "This text is being reviewed. Send it again later, under a new Idempotency-Key."
NOT_REVIEWED = "Too many texts of this account wait for review; this one was refused."
_checks = Tally("genvid_moderation_checks_total", "Requests whose texts were checked, by what came of it.", ["outcome"])

Findings = dict[str, list[Finding]]


def is_active() -> bool:
    """Whether there is anything to check by. Costs a query every few seconds."""
    return hook.is_set() or bool(active_rules())


def require_allowed(account_id: UUID, texts: Mapping[str, str], *, user_id: UUID | None = None) -> None:
    """`texts`: by the field of the request, such as `script` or `rows.7`.

    Raises ContentRefused with the reason by field; RateLimited while the account is slowed down after many refusals;
    ProviderUnavailable where the outside service fails and MODERATION_HOOK_FAILURE is `closed`. Call it before anything
    is spent, and outside any transaction: it may call the outside world, and what it counts must not be rolled back.
    Without rules and outside service it does nothing.
    """
    given = {field: text for field, text in texts.items() if text}
    if not given or not is_active():
        return
    if is_in_transaction():
        raise RuntimeError("require_allowed() was called inside a transaction")
    strictness = refusals.strictness_of(account_id)
    if strictness == Strictness.OFF:
        return
    found = find(account_id, given, strictness)
    refused = {field: reason for field, each in found.items() if (reason := _refusal(each))}
    doubts = [Doubt(field, given[field], each[0].reason) for field, each in found.items() if field not in refused]
    decisions = reviews.decisions_on(account_id, doubts, user_id=user_id) if doubts else {}
    said = {doubt.field: decisions[doubt.digest] for doubt in doubts}
    refused |= {field: text for field, decision in said.items() if (text := _refusal_by_staff(decision))}
    waiting = [field for field, decision in said.items() if decision.state == ReviewState.WAITING]
    if not refused and not waiting:
        _checks.add("allowed")
        return
    _count(account_id, found, user_id, refused=refused, waiting=waiting)
    message = None if refused else IN_REVIEW
    raise ContentRefused(message, details=_first(refused | dict.fromkeys(waiting, IN_REVIEW)))


def find(account_id: UUID | None, texts: Mapping[str, str], strictness: Strictness) -> Findings:
    """What speaks against the texts, by field, whatever staff have allowed. Asks no outside service for no account, nor
    where the rules refuse already."""
    found = _by_rules(active_rules(), texts, strictness)
    is_refused = any(_refusal(each) for each in found.values())
    if account_id is None or is_refused or not hook.is_set():
        return found
    for field, answer in hook.ask(account_id, texts).items():
        found.setdefault(field, []).append(Finding(Outcome(answer.outcome), answer.reason))
    return found


def _by_rules(book: RuleBook, texts: Mapping[str, str], strictness: Strictness) -> Findings:
    """Stops after MAX_DETAILS fields: an answer names no more."""
    found: Findings = {}
    # Many rows of a batch have the same text.
    seen: dict[str, list[Finding]] = {}
    matcher, watch = book.matcher(strictness), Watch(len(texts))
    for field, text in texts.items():
        each = _findings(matcher, text, watch, seen)
        if each:
            found[field] = list(each)
        if len(found) >= MAX_DETAILS:
            break
    return found


def _findings(matcher: Matcher, text: str, watch: Watch, seen: dict[str, list[Finding]]) -> list[Finding]:
    if text not in seen:
        seen[text] = list(matcher.findings(text, watch))
    return seen[text]


def _refusal(findings: list[Finding]) -> str | None:
    return next((each.reason for each in findings if each.outcome == Outcome.REFUSE), None)


def _refusal_by_staff(decision: Decision) -> str | None:
    if decision.state is None:
        return NOT_REVIEWED
    return (decision.answer or ContentRefused.message) if decision.state == ReviewState.REFUSED else None


def _first(details: Mapping[str, str]) -> dict[str, str]:
    return dict(list(details.items())[:MAX_DETAILS])


def _count(
    account_id: UUID,
    found: Findings,
    user_id: UUID | None,
    *,
    refused: Mapping[str, str],
    waiting: list[str],
) -> None:
    """A text that waits for staff is no refusal yet, and does not slow the account down."""
    _checks.add("refused" if refused else "review")
    stopped = [each for field in (*refused, *waiting) for each in found[field]]
    rules = sorted({each.rule.id for each in stopped if each.rule})
    logger.info(
        "text_refused",
        account_id=str(account_id),
        user_id=str(user_id or ""),
        fields=[*refused, *waiting][:MAX_DETAILS],
        rules=rules,
    )
    # One by one: two requests that locked several rows in different orders would wait for each other.
    for rule_id in rules:
        ModerationRule.objects.filter(pk=rule_id).update(hits=F("hits") + 1, last_hit_at=database_clock.now())
    if refused:
        refusals.count_refusal(account_id)

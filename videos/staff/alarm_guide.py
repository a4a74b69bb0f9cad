"""What each code of an operator alarm means for staff: how severe it is, and what to do."""

from dataclasses import dataclass

from django.db.models import Case, IntegerField, TextChoices, Value, When


class Severity(TextChoices):
    """The most severe first."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True)
class Advice:
    severity: Severity
    what_to_do: str


GUIDE = {
    "queue_not_computed": Advice(
        Severity.CRITICAL, "Have a worker serve the queue `ticks` (-Q celery,ticks), and look whether it hangs."
    ),
    "queue_silent": Advice(
        Severity.CRITICAL,
        "Restart the worker of the queue that the text names, or look at Redis where it names most of them; the page "
        "“Beat and queues” shows them.",
    ),
    "provider_unreachable": Advice(
        Severity.CRITICAL, "Look at HeyGen's status page, and whether this machine reaches the internet."
    ),
    "provider_balance_low": Advice(Severity.CRITICAL, "Top up the wallet at HeyGen before it is empty."),
    "many_videos_overdue": Advice(
        Severity.CRITICAL, "Look at the clocks and at HeyGen; then run “End overdue videos” on the gate's page."
    ),
    "storing_fails": Advice(
        Severity.CRITICAL,
        "Run `manage.py doctor --only storage --only disk`: the disk or the bucket is full or refuses.",
    ),
    "moderation_hook_fails": Advice(
        Severity.CRITICAL,
        "Look at the service behind MODERATION_HOOK, or unset it; until then texts pass unseen, or none pass.",
    ),
    "upload_removal_fails": Advice(
        Severity.WARNING, "Look at HeyGen and at the storage: deleted files of customers are still there."
    ),
    "video_removal_fails": Advice(
        Severity.WARNING,
        "Look at HeyGen, at the storage and for `videos.purge` in the workers' logs: deleted videos are still there.",
    ),
    "clock_skewed": Advice(Severity.WARNING, "Mend NTP on the machine of that worker."),
    **{
        f"doctor_{part}": Advice(Severity.WARNING, "Do what the text says, then run `manage.py doctor`.")
        for part in ("storage", "mail", "heygen", "stripe", "clock", "settings")
    },
    "order_set_aside": Advice(
        Severity.CRITICAL, "Mend the cause at HeyGen, then run “Resume this order” on the video."
    ),
    "given_up_without_word": Advice(
        Severity.WARNING, "Ask HeyGen about the order: it may still make and bill it. The client has its credits back."
    ),
    "speech_refused": Advice(
        Severity.CRITICAL, "Look at the plan and the wallet at HeyGen: it makes no speech for this account."
    ),
    "speeches_fail": Advice(
        Severity.WARNING,
        "Read the last reason on the page of speeches; look at HeyGen, the storage and the queue `speech`.",
    ),
    "avatar_slots_full": Advice(
        Severity.WARNING,
        "Delete faces or voices at HeyGen that nobody needs, or buy more; the orders go on then.",
    ),
    "avatar_provider_problem": Advice(
        Severity.CRITICAL,
        "Mend the key, the wallet or the plan at HeyGen; own avatars and voices wait meanwhile.",
    ),
    "avatar_given_up": Advice(
        Severity.WARNING, "See its history (Own avatars); the customer has the credits back, and may order again."
    ),
    "avatar_review_late": Advice(Severity.WARNING, "Approve or refuse them: Own avatars, status “review”."),
    "avatar_removal_fails": Advice(
        Severity.WARNING, "Look at HeyGen: faces or voices whose consent was withdrawn are still there."
    ),
    "avatar_unknown_copies": Advice(
        Severity.NOTICE, "Delete them at HeyGen, unless another installation uses the same key."
    ),
    "ledger_not_proved": Advice(
        Severity.CRITICAL,
        "Run `manage.py check_ledger`, and look into each wallet that it names before anybody is paid.",
    ),
    "stripe_key_refused": Advice(
        Severity.CRITICAL, "Replace STRIPE_SECRET_KEY, or give it the rights that `manage.py doctor` names."
    ),
    "billing": Advice(Severity.WARNING, "Do what the text says: it names the payment, the dispute or the account."),
    "signup_credits": Advice(Severity.NOTICE, "Approve or decline those who wait: Sign-up credits."),
    "mail_given_up": Advice(
        Severity.WARNING, "Look at the mail server; then send the mails again that were given up: Mails."
    ),
    "status_reads_refused": Advice(Severity.WARNING, "Nothing at once. If it goes on, poll less (POLL_SECONDS)."),
    "unknown_provider_code": Advice(
        Severity.WARNING, "See whether the video was judged rightly, and add the code to `genvid/heygen/verdicts.py`."
    ),
    "set_aside_order_failed": Advice(Severity.NOTICE, "Nothing more: the video failed, its credits went back."),
}
UNKNOWN = Advice(Severity.WARNING, "Read the text of the alarm; the log has `operator_alarm` with the same code.")


def advice_on(code: str) -> Advice:
    return GUIDE.get(code, UNKNOWN)


def severity_rank() -> Case:
    """An expression for queries: 0 for the most severe."""
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    cases = [When(code=code, then=Value(ranks[advice.severity])) for code, advice in GUIDE.items()]
    return Case(*cases, default=Value(ranks[UNKNOWN.severity]), output_field=IntegerField())

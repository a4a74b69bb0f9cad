"""As many videos as a busy installation has: of many accounts, most of them ended. PostgreSQL only."""

from accounts.models import Account, ApiKey
from genvid.tests.factories import Person, make_video
from genvid.tests.generated_rows import analyze, copy_row
from videos.enums import Status
from videos.models import Batch, Video

ACCOUNTS = 200
BATCH = 100
QUEUED, SUBMITTING, RENDERING, STORING, DRAFTS = 400, 410, 450, 460, 500
"""The number of the last one of each status; those after are completed, but every tenth, which failed."""


def fill_videos(owner: Person, key: ApiKey, count: int) -> None:
    """Half of the ended videos are the owner's; they are five minutes apart at most, all within a year."""
    copy_row(owner.account, ACCOUNTS, id="md5('account' || n)::uuid")
    copy_row(owner.wallet, ACCOUNTS, account_id="md5('account' || n)::uuid")
    batch = Batch.objects.create(account=owner.account, script="Hello", total=BATCH, open=0, credits_quoted=0)
    copy_row(batch, 1 + count // BATCH, id="md5('batch' || n)::uuid")
    video = make_video(owner, Status.QUEUED, idempotency_key=None, deadline_at=None)
    copy_row(video, count, **_columns(owner.account, key, f"least(300.0, {365 * 86400.0} / {count})"))
    Video.objects.filter(pk=video.pk).delete()
    analyze(Account, Batch, Video)


def _columns(account: Account, key: ApiKey, pause: str) -> dict[str, str]:
    ended, failed, ordered = f"n > {DRAFTS}", "n % 10 = 0", f"n > {QUEUED} AND n <= {STORING} OR n > {DRAFTS}"
    then = f"now() - n * interval '1 second' * CASE WHEN {ended} THEN {pause} ELSE 1 END"
    somebodys = f"n % 2 = 0 OR n <= {DRAFTS} AND n > 20"
    return {
        "id": "gen_random_uuid()",
        "account_id": f"CASE WHEN {somebodys} THEN md5('account' || 1 + n % {ACCOUNTS})::uuid ELSE '{account.pk}' END",
        "api_key_id": f"CASE WHEN n % 4 = 0 THEN '{key.pk}'::uuid END",
        "batch_id": f"CASE WHEN n % 5 = 0 AND {ended} THEN md5('batch' || 1 + n / {BATCH})::uuid END",
        "batch_row": f"CASE WHEN n % 5 = 0 AND {ended} THEN 1 + n % {BATCH} END",
        "status": f"CASE WHEN n <= {QUEUED} THEN 'queued' WHEN n <= {SUBMITTING} THEN 'submitting' "
        f"WHEN n <= {RENDERING} THEN 'rendering' WHEN n <= {STORING} THEN 'storing' WHEN n <= {DRAFTS} THEN 'draft' "
        f"WHEN {failed} THEN 'failed' ELSE 'completed' END",
        "is_test": "n % 50 = 0",
        "created_at": then,
        "moved_at": then,
        "queued_at": f"CASE WHEN NOT (n > {STORING} AND n <= {DRAFTS}) THEN {then} END",
        "submitted_at": f"CASE WHEN {ordered} THEN {then} END",
        "due_at": f"CASE WHEN n > {QUEUED} AND n <= {STORING} THEN now() + (n - 430) * interval '1 second' END",
        "deadline_at": f"CASE WHEN n <= {STORING} THEN now() + interval '1 hour' * (1 + n % 9) END",
        "idempotency_key": f"CASE WHEN {ordered} THEN gen_random_uuid() || '.1.0123456789ab' END",
        "provider_video_id": f"CASE WHEN ({ordered}) AND n > {SUBMITTING} THEN md5('video' || n) END",
        "rendered_at": f"CASE WHEN {ended} OR n > {RENDERING} AND n <= {STORING} THEN {then} END",
        "completed_at": f"CASE WHEN {ended} THEN {then} END",
        "expires_at": f"CASE WHEN {ended} AND NOT {failed} THEN {then} + interval '400 days' END",
        "expired_at": f"CASE WHEN {ended} AND (n % 100 = 1 OR {failed}) THEN {then} END",
        "provider_deleted_at": f"CASE WHEN {ended} AND n % 20 <> 1 THEN {then} END",
        "provider_error": f"CASE WHEN {ended} AND n % 50 = 0 THEN 'refused' ELSE '' END",
        "deleted_at": f"CASE WHEN {ended} AND n % 30 = 3 THEN {then} END",
        "purged_at": f"CASE WHEN {ended} AND n % 30 = 3 AND n % 900 <> 3 THEN {then} END",
    }

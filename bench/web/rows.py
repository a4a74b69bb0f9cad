"""Fills the tables by SQL: accounts with people and sessions, the catalogue, videos, and videos that wait."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import Field, Model
from django.db.models.fields import NOT_PROVIDED
from psycopg import sql

from accounts.models import Account, Membership, Session, User
from avatars.models import Avatar, Voice
from bench.web.reference.password_hashers import OwaspArgon2PasswordHasher
from bench.web.sizes import AVATARS, SCRIPT, TEAM, VOICES, Size
from bench.web.traffic import PASSWORD, TITLE
from billing.models import CreditLot, Hold, LedgerEntry, Tier, Wallet
from videos.models import Video

UNLIMITED = 1_000_000_000
BALANCE = 1_000_000
HELD = 10
ID = "md5('{kind}:' || {number})::uuid"
SPREAD = 1.5
"""Above 1: some accounts have many more videos than most."""
MIXER = 7_919
"""A prime: videos that follow each other in time are of different accounts."""
DAYS = 180.0


def load(size: Size) -> None:
    Tier.objects.update(requests_per_minute=UNLIMITED)
    with connection.cursor() as cursor:
        for statement in (*_people(size), *_wallets(size), *_catalogue(), _videos(size)):
            cursor.execute(statement)
    settle()


def load_waiting(size: Size) -> None:
    """Queue videos, as many of each account but the large one, with their holds."""
    held, large = HELD * size.waiting // size.accounts, _id("account", size.accounts)
    with connection.cursor() as cursor:
        cursor.execute(_waiting(size))
        cursor.execute(_holds())
        cursor.execute(f"UPDATE billing_wallet SET held = {held} WHERE account_id <> {large}")  # noqa: S608
    settle()


def settle() -> None:
    """What would else happen in the middle of a measurement."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def is_asked() -> bool:
    """Whether PostgreSQL works on a statement of somebody else."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid())"
        )
        return bool(cursor.fetchone()[0])


def forget_created(begun: Any) -> None:
    """Remove what was ordered since `begun`: a queue that grows would slow down each call after it."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Nothing is a retry of these videos. The check would read all videos for each: the product deletes none, so
        # `retry_of` has no index.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in ("videos_videoevent", "billing_hold", "accounts_idempotencyrecord"):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of ours; nothing was loaded into it
        cursor.execute("DELETE FROM videos_video WHERE created_at > %s AND title = %s", [begun, TITLE])
        cursor.execute("UPDATE billing_wallet SET held = 0 WHERE held <> 0")


def insert(model: type[Model], source: str, /, **expressions: str) -> str:
    """INSERT … SELECT into every column: by its SQL expression, else by the default of its field."""
    columns = {field.attname: field for field in model._meta.concrete_fields}
    if unknown := expressions.keys() - columns.keys():
        raise ValueError(f"{model.__name__} has no {', '.join(sorted(unknown))}")
    given = {name: expressions.get(name) or _default(field) for name, field in columns.items()}
    values = {str(columns[name].column): value for name, value in given.items() if value is not None}
    names = ", ".join(f'"{name}"' for name in values)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {", ".join(values.values())} FROM {source}'  # noqa: S608


def _default(field: "Field[Any, Any]") -> str | None:
    """SQL of a field's default; None where the database has one itself."""
    if field.db_default is not NOT_PROVIDED or field.get_internal_type().endswith("AutoField"):
        return None
    if field.null and not field.has_default():
        return "NULL"
    kinds = {"DateTimeField": "now()", "UUIDField": "gen_random_uuid()"}
    if field.has_default() and callable(field.default) and field.get_internal_type() in kinds:
        return kinds[field.get_internal_type()]
    connection.ensure_connection()
    prepared = field.get_db_prep_save(field.get_default(), connection)
    return sql.Literal(prepared).as_string(connection.connection)


def _id(kind: str, number: object) -> str:
    return ID.format(kind=kind, number=number)


def _people(size: Size) -> list[str]:
    """User n owns account n; the last `TEAM` users share the large one. Every second signs in at the reference."""
    large = size.accounts
    users, accounts = f"generate_series(0, {large + TEAM - 1}) n", f"generate_series(0, {large}) n"
    ours, theirs = make_password(PASSWORD), OwaspArgon2PasswordHasher().encode(PASSWORD, "bench-bench-bench")
    of_both = {"user_id": _id("user", "n"), "account_id": _id("account", f"least(n, {large})")}
    return [
        insert(
            User,
            users,
            id=_id("user", "n"),
            email="'person' || n || '@example.com'",
            full_name="'Person ' || n",
            password=f"CASE WHEN n % 2 = 0 THEN '{ours}' ELSE '{theirs}' END",
            email_verified_at="now()",
            welcomed_at="now()",
        ),
        insert(Account, accounts, id=_id("account", "n"), name="'Company ' || n"),
        insert(Membership, users, role=f"CASE WHEN n <= {large} THEN 'owner' ELSE 'member' END", **of_both),
        insert(
            Session,
            users,
            id=_id("session", "n"),
            jti="md5('jti:' || n)",
            address="'127.0.0.1'",
            user_agent="'bench'",
            expires_at="now() + interval '30 days'",
            **of_both,
        ),
    ]


def _wallets(size: Size) -> list[str]:
    accounts, wallet, reference = f"generate_series(0, {size.accounts}) n", _id("account", "n"), "'pack:' || n"
    return [
        insert(Wallet, accounts, account_id=wallet, balance=str(BALANCE), tier_id="'business'"),
        insert(
            CreditLot,
            accounts,
            wallet_id=wallet,
            source="'pack'",
            reference=reference,
            granted=str(BALANCE),
            remaining=str(BALANCE),
        ),
        insert(
            LedgerEntry,
            accounts,
            wallet_id=wallet,
            sequence="1",
            kind="'grant'",
            credits=str(BALANCE),
            balance_after=str(BALANCE),
            reference=reference,
        ),
    ]


def _catalogue() -> list[str]:
    file = "'https://files.heygen.ai/{kind}/v3/' || md5('file:' || n) || '/preview_talk_3.{end}'"
    shared = {"gender": "CASE WHEN n % 2 = 0 THEN 'female' ELSE 'male' END", "is_private": "false"}
    shared["created_at"] = "now() - n * interval '1 minute'"
    return [
        insert(
            Voice,
            f"generate_series(0, {VOICES - 1}) n",
            id=_id("voice", "n"),
            provider_id="md5('voice:' || n)",
            name="'Voice ' || n",
            language="'English'",
            preview_audio_url=file.format(kind="voice", end="mp3"),
            **shared,
        ),
        insert(
            Avatar,
            f"generate_series(0, {AVATARS - 1}) n",
            id=_id("avatar", "n"),
            provider_id="'Presenter_' || n || '_sitting_office_front'",
            name="'Presenter ' || n || ' in the office'",
            kind="'studio_avatar'",
            default_voice_id=_id("voice", f"(n % {VOICES})"),
            preview_image_url=file.format(kind="avatar", end="webp"),
            preview_video_url=file.format(kind="avatar", end="mp4"),
            engines="""'["avatar_iv", "avatar_iii"]'""",
            orientation="'landscape'",
            tags="""'["business", "office"]'""",
            **shared,
        ),
    ]


def _account_number(size: Size) -> str:
    """SQL: the account's number of video n."""
    place = f"((n::bigint * {MIXER}) % {size.videos})::float8 / {size.videos}"
    return (
        f"CASE WHEN n % {size.videos // size.large} = 0 THEN {size.accounts} "
        f"ELSE floor({size.owners} * power({place}, {SPREAD}))::int END"
    )


def _requested() -> dict[str, str]:
    return {
        "title": "'Spring sale ' || n",
        "script": f"'{SCRIPT} {SCRIPT}'",
        "avatar_id": _id("avatar", f"(n % {AVATARS})"),
        "voice_id": _id("voice", f"(n % {AVATARS} % {VOICES})"),
        "engine": "'avatar_iv'",
        "language": "'English'",
        "estimated_seconds": "12",
        "expected_render_seconds": "90",
        "metadata": """jsonb_build_object('order', n::text)""",
    }


def _videos(size: Size) -> str:
    """Seventeen of twenty completed, the others failed, canceled and drafts; none waits."""
    nth, ended = "((n * 31 + n / 20) % 20)", "at + interval '3 minutes'"
    done = f"CASE WHEN {nth} < 17 THEN {{}} END"
    text = f"CASE WHEN {nth} < 17 THEN {{}} ELSE '' END"
    count = f"CASE WHEN {nth} < 17 THEN {{}} ELSE 0 END"
    source = (
        f"(SELECT n, {_account_number(size)} AS account, now() - ({size.videos} - n) * "  # noqa: S608
        f"interval '{DAYS * 86_400 / size.videos:.3f} seconds' AS at FROM generate_series(0, {size.videos - 1}) n) made"
    )
    return insert(
        Video,
        source,
        id=_id("video", "n"),
        account_id=_id("account", "account"),
        created_by_id=_id("user", "account"),
        status=f"CASE {nth} WHEN 17 THEN 'failed' WHEN 18 THEN 'canceled' WHEN 19 THEN 'draft' ELSE 'completed' END",
        **_requested(),
        attempt="1",
        idempotency_key=_id("key", "n"),
        provider_video_id=done.format("md5('provider:' || n)"),
        error_code=f"CASE WHEN {nth} = 17 THEN 'render_failed' ELSE '' END",
        error_message=f"CASE WHEN {nth} = 17 THEN 'The video could not be made. Nothing was charged.' ELSE '' END",
        duration_seconds=done.format("11.4"),
        file=text.format("'videos/' || md5('video:' || n) || '/video.mp4'"),
        thumbnail=text.format("'videos/' || md5('video:' || n) || '/thumbnail.jpg'"),
        subtitles=text.format("'videos/' || md5('video:' || n) || '/captions.srt'"),
        file_sha256=text.format("md5('a' || n) || md5('b' || n)"),
        file_bytes=done.format("4_000_000"),
        credits_held=count.format("14"),
        credits_charged=count.format("12"),
        created_at="at",
        updated_at=ended,
        moved_at=ended,
        # What ended says when, and a draft was never queued: the indexes of the queue hold neither.
        queued_at=f"CASE WHEN {nth} < 19 THEN at END",
        submitted_at=done.format("at + interval '5 seconds'"),
        rendered_at=done.format(ended),
        completed_at=f"CASE WHEN {nth} < 19 THEN {ended} END",
        expires_at=done.format("now() + interval '1 year'"),
    )


def _waiting(size: Size) -> str:
    """The accounts take turns, the oldest video first."""
    number = f"(n % {size.accounts})"
    at = f"now() - ({size.waiting} - n) * interval '10 milliseconds'"
    return insert(
        Video,
        f"generate_series(0, {size.waiting - 1}) n",
        id=_id("waiting", "n"),
        account_id=_id("account", number),
        created_by_id=_id("user", number),
        status="'queued'",
        **_requested(),
        credits_held=str(HELD),
        created_at=at,
        queued_at=at,
        moved_at=at,
        deadline_at="now() + interval '2 days'",
    )


def _holds() -> str:
    return insert(
        Hold,
        "videos_video WHERE status = 'queued'",
        wallet_id="account_id",
        reference="'video:' || id",
        amount=str(HELD),
        status="'open'",
    )

"""The database: whether it answers, its version, its connections, and the migrations."""

from collections.abc import Iterator

from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from genvid.doctor.checks import Finding, check, failed, ok, one_line, warning

CONNECTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int
"""
MOST_USED = 0.8
WRONG_LOGIN = (
    "The server refuses user or password of DATABASE_URL. Under compose, POSTGRES_PASSWORD is only read when the "
    "volume is first made: change it with ALTER ROLE, too."
)
UNKNOWN_HOST = (
    "The host of DATABASE_URL is unknown here. A password with @, #, / or : has to be percent-encoded in the address, "
    "or the host is read from the wrong place."
)
REASONS = (
    (("password authentication failed", "no password supplied"), WRONG_LOGIN),
    (("resolve host", "translate host name", "name or service not known"), UNKNOWN_HOST),
    (("connection refused", "no such file or directory"), "Nothing listens at the host and port of DATABASE_URL."),
    (("does not exist",), "`manage.py database setup` creates the database if its role may."),
    (("too many clients", "remaining connection slots"), "Raise max_connections, or run fewer processes and threads."),
)
ADVICE = "Check DATABASE_URL, and that PostgreSQL runs and can be reached from here."


def advice_for(error: OperationalError) -> str:
    told = str(error).lower()
    return next((advice for words, advice in REASONS if any(word in told for word in words)), ADVICE)


@check("database", seconds=12, advice=ADVICE)
def ask_database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        yield failed(one_line(error), advice_for(error))
        return
    version = ".".join(map(str, connection.get_database_version()))
    if connection.vendor != "postgresql":
        yield ok(f"SQLite {version}: one machine, one writer at a time")
        return
    with connection.cursor() as cursor:
        cursor.execute(CONNECTIONS)
        used, most = cursor.fetchone()
    found = f"PostgreSQL {version}, {used} of {most} connections in use"
    yield warning(found, "Raise max_connections, or run fewer threads.") if used > MOST_USED * most else ok(found)


@check("migrations", seconds=20, advice="They cannot be read without the database.")
def ask_migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        first = f"{plan[0][0].app_label}.{plan[0][0].name}"
        yield failed(f"{len(plan)} not applied, the first is {first}", "Run `manage.py migrate`.")
    else:
        yield ok(f"all {len(executor.loader.applied_migrations)} applied")

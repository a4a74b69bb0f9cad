"""Settings of processes and monitoring."""

from genvid.configuration.declared.site import COMPOSE, PORT
from genvid.configuration.kinds import Choice, Folder, Number, Switch, Text, Whole, Words
from genvid.configuration.setting import Group, Setting

MAKE_RUN = "scripts/run.py (`make run`)"

WATCHING = Group(
    "Watching it (docs/operations.md)",
    (
        Setting(
            "ALARM_EMAILS",
            Words(noun="mail addresses"),
            "Whom to mail when only staff can help: HeyGen takes no orders, books do not agree, payments are disputed.",
            default="",
            wrong="Nobody hears of it but the log, the admin and `/metrics`.",
            checks=("genvid.W010",),
        ),
        Setting(
            "CLOCK_SKEW_ALARM_SECONDS",
            Number(above_zero=True),
            "How far a worker's clock may be from the database's before staff are alarmed.",
            default="5",
            unit="seconds",
            wrong="Too small, and staff are alarmed of delays in the network.",
        ),
        Setting(
            "METRICS_TOKEN",
            Text(),
            "What `/metrics` asks for as a bearer token; unset: only private addresses may read it, and no proxy.",
            default="",
            wrong="Prometheus gets 403.",
            secret=True,
        ),
        Setting(
            "METRICS_DIR",
            Folder(),
            "Where the processes of one machine count together; a local folder that all of them share.",
            computed="`metrics` in `GENVID_VAR`",
            wrong="Each process shows its own counts only, and logs `metrics_not_shared`.",
            example="var/metrics",
        ),
    ),
)

PROCESSES = Group(
    "Processes",
    (
        Setting(
            "WORKER_THREADS",
            Whole(1),
            "Threads of one worker.",
            default="8",
            unit="threads",
            wrong="Celery does not start; too many take more memory and database connections.",
            read_by=COMPOSE,
        ),
        Setting(
            "CALLER_THREADS",
            Whole(1),
            "Threads of the worker for calls that may take minutes; HEYGEN_MAX_CONCURRENT and some more.",
            default="24",
            unit="threads",
            wrong="Too few, and orders wait although HeyGen has slots.",
            read_by=COMPOSE,
        ),
        Setting(
            "MAIL_THREADS",
            Whole(1),
            "Threads of the worker that sends mail: mails that are sent at a time.",
            default="4",
            unit="threads",
            wrong="Celery does not start; too many, and the mail server refuses connections.",
            read_by=COMPOSE,
        ),
        Setting(
            "GRANIAN_WORKERS",
            Whole(1),
            "Processes of the service `web`.",
            default="2",
            wrong="Granian does not start; too many take more memory and database connections.",
            unit="processes",
            read_by="granian; the default is the Dockerfile's",
        ),
        Setting(
            "GRANIAN_BLOCKING_THREADS",
            Whole(1),
            "Threads of each process of the service `web`.",
            default="2",
            wrong="As for `GRANIAN_WORKERS`.",
            unit="threads",
            read_by="granian; the default is the Dockerfile's",
        ),
        Setting(
            "GRANIAN_PORT",
            PORT,
            "The port that web servers listen on inside their containers, and the health check asks.",
            default="8000",
            wrong="Compose publishes 8000 and reaches nobody at another.",
            read_by="granian and scripts/healthcheck.py; the default is the Dockerfile's",
            internal=True,
        ),
        Setting(
            "ASGI_THREADS",
            Whole(1),
            "Threads of an ASGI process (the service `stream`, and `make run`), each with a database connection.",
            default="4",
            unit="threads",
        ),
        Setting(
            "STREAMS_PER_PROCESS",
            Whole(),
            "Streams and waits open at a time in one process; more get 503.",
            default="1000",
            unit="streams",
        ),
        Setting(
            "STREAMS_PER_ACCOUNT",
            Whole(),
            "Streams and waits of one account in one process; more get 429.",
            default="100",
            unit="streams",
        ),
        Setting(
            "CLIENT_STALL_SECONDS",
            Number(above_zero=True),
            "How long an ASGI process waits for a client that takes no byte of its answer; after so long a body has to "
            "have come at 1 kB a second.",
            default="30",
            unit="seconds",
            wrong="Too short, and clients on bad networks are cut off; too long, and idle ones hold connections.",
        ),
        Setting(
            "STREAM_SECONDS",
            Number(above_zero=True),
            "How long a stream lasts before its client comes again.",
            default="900",
            unit="seconds",
        ),
        Setting(
            "STREAM_ACCESS_SECONDS",
            Number(above_zero=True),
            "Time between two checks that the client of a stream may still see its video.",
            default="30",
            unit="seconds",
        ),
        Setting(
            "WAITING_THREADS",
            Whole(),
            "Threads of a web process that `Prefer: wait` may hold.",
            default="1",
            unit="threads",
            wrong="Not fewer than GRANIAN_BLOCKING_THREADS, and waiting requests keep all others from being answered.",
        ),
    ),
)

LOGS = Group(
    "Logs and debugging",
    (
        Setting(
            "LOG_FORMAT",
            Choice(("json", "console")),
            "One JSON object a line, or coloured text.",
            computed="json; console under `make run` and with `DEBUG`",
            example="json",
        ),
        Setting(
            "LOG_LEVEL",
            Choice(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
            "The lowest level that is logged.",
            default="INFO",
        ),
        Setting(
            "LOG_SPLIT",
            Switch(),
            "On: lines below a warning go to standard output, the others to standard error; `make run` sets it.",
            default="off",
            wrong="The screen of `make run` shows every request.",
        ),
        Setting(
            "DEBUG",
            Switch(),
            "Tracebacks in the browser; never where others can reach the site.",
            default="off",
            wrong="On where others reach the site, secrets show: an error of the check, as is a live Stripe key.",
            checks=("genvid.E001", "genvid.E010"),
        ),
    ),
)

LOCAL = Group(
    "`make run` and tests",
    (
        Setting(
            "PORT",
            PORT,
            "Where `make run` listens, on loopback.",
            default="8000",
            wrong="A port in use ends `make run` with a line that says so.",
        ),
        Setting(
            "SANDBOX_PORT",
            PORT,
            "Where its sandbox listens, on loopback.",
            default="8001",
            wrong="As for `PORT`; the two must differ.",
        ),
        Setting(
            "DEV_POSTGRES_PORT",
            PORT,
            "Where `make docker-up` publishes PostgreSQL, on loopback.",
            default="5432",
            wrong="Compose does not start.",
            read_by=COMPOSE,
        ),
        Setting(
            "DEV_REDIS_PORT",
            PORT,
            "Where `make docker-up` publishes Redis, on loopback.",
            default="6379",
            wrong="Compose does not start.",
            read_by=COMPOSE,
        ),
        Setting(
            "DEMO_ADMIN_EMAIL",
            Text(),
            "Who the first staff login is made for.",
            default="",
            embedded="admin@example.com",
            wrong="Without it no staff login is made.",
            read_by=f"`manage.py ensure_demo_admin` and {MAKE_RUN}",
            internal=True,
        ),
        Setting(
            "DEMO_ADMIN_PASSWORD",
            Text(),
            "Its password; `make run` makes one.",
            default="",
            wrong="Without it no staff login is made.",
            secret=True,
            read_by=f"`manage.py ensure_demo_admin` and {MAKE_RUN}",
            internal=True,
        ),
        Setting(
            "GENVID_EMBEDDED",
            Switch(),
            "Set by `make run`: one machine, the sandbox, no services.",
            default="off",
            wrong="On in public, addresses go unverified and private ones are called.",
            internal=True,
            checks=("genvid.E025",),
        ),
        Setting(
            "GENVID_TEST",
            Switch(),
            "Set by `make test`: no rate limits, and passwords are hashed fast.",
            default="off",
            wrong="On outside tests, passwords are stored badly.",
            internal=True,
        ),
    ),
)

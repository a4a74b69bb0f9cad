"""Settings of what is kept: database, broker, files."""

from genvid.configuration.kinds import DatabaseUrl, Folder, RedisUrl, Switch, Text, Url, Whole
from genvid.configuration.setting import Group, Setting

DATA = Group(
    "Database and broker (the compose file sets both addresses)",
    (
        Setting(
            "DATABASE_URL",
            DatabaseUrl(),
            "PostgreSQL; a SQLite file in GENVID_VAR when unset.",
            computed="`genvid.sqlite3` in `GENVID_VAR`",
            wrong="Migrating fails; `/readyz` answers 503, and so does every request that needs the database.",
            secret=True,
            example="postgres://user:password@host:5432/genvid",
            checks=("genvid.W007",),
        ),
        Setting(
            "REDIS_URL",
            RedisUrl(),
            "Redis for the broker, the cache and the rate limits; a SQLite file and memory when unset.",
            default="",
            wrong="Work waits for the sweeps and `/readyz` answers 503.",
            secret=True,
            example="redis://host:6379/0",
            checks=("genvid.W008",),
        ),
        Setting(
            "CONN_MAX_AGE",
            Whole(),
            "How long a database connection is kept.",
            default="60",
            unit="seconds",
        ),
        Setting(
            "PREPARED_STATEMENTS",
            Switch(),
            "Has PostgreSQL prepare the statements of the busiest reads. Off for a pooler that hands each transaction "
            "another connection and does not know prepared statements, as PgBouncer before 1.21.",
            default="1",
            wrong="Behind such a pooler, reads of videos fail with 500.",
        ),
    ),
)

FILES = Group(
    "Where files lie",
    (
        Setting(
            "GENVID_VAR",
            Folder(),
            "Database, media, mail and secrets of this installation; a new folder is a new installation.",
            computed="`var` beside manage.py",
            wrong="Another folder looks like an empty installation.",
            example="var",
        ),
        Setting(
            "S3_BUCKET",
            Text(),
            "An S3-compatible bucket for videos; a folder in GENVID_VAR when unset.",
            default="",
            wrong="Videos cannot be stored, and `/readyz` answers 503.",
            checks=("genvid.W009",),
        ),
        Setting(
            "S3_ENDPOINT_URL",
            Url(optional=True),
            "The bucket's address when it is not Amazon's.",
            default="",
            wrong="As for `S3_BUCKET`.",
        ),
        Setting(
            "S3_REGION",
            Text(),
            "The bucket's region: links are signed for it alone.",
            default="",
            wrong="The bucket refuses every link. Empty with a bucket at Amazon, it is an error of the check.",
            checks=("genvid.E040",),
        ),
        Setting(
            "AWS_ACCESS_KEY_ID",
            Text(),
            "The bucket's access key.",
            default="",
            wrong="As for `S3_BUCKET`.",
            secret=True,
            read_by="boto3",
        ),
        Setting(
            "AWS_SECRET_ACCESS_KEY",
            Text(),
            "The secret of that key.",
            default="",
            wrong="As for `S3_BUCKET`.",
            secret=True,
            read_by="boto3",
        ),
        Setting(
            "MEDIA_LINK_LIFETIME",
            Whole(1),
            "How long a link to a video stays good.",
            default="3600",
            unit="seconds",
            wrong="Too short, and long downloads cannot be resumed. Over seven days, it is an error of the check.",
            checks=("genvid.E041",),
        ),
        Setting(
            "MEDIA_ACCEL_PREFIX",
            Text(),
            "Where the proxy alone reaches the files on disk, such as `/protected-media/`: links are answered with "
            "`X-Accel-Redirect`, and the proxy sends the file.",
            default="",
            wrong="Behind a proxy that does not know the header, downloads are empty.",
        ),
        Setting(
            "STATIC_ROOT",
            Folder(),
            "Collected static files; set by the image.",
            computed="`static` in `GENVID_VAR`",
            wrong="The admin and the pages come without styles.",
            example="var/static",
        ),
    ),
)

"""PostgreSQL and Redis for a run of the tests: addresses known at once, servers started at the first connection."""

from contextlib import ExitStack
from pathlib import Path

from genvid.tests import persistent_services
from genvid.tests.services import Postgres, Redis


class Stack:
    """The servers of `make services`, or servers of this run alone, unless the addresses name others."""

    def __init__(self, folder: Path, *, database_url: str = "", redis_url: str = "") -> None:
        self._open = ExitStack()
        self._postgres: Postgres | None = None
        self._redis: Redis | None = None
        pair = persistent_services.find()
        if pair and not self._open.enter_context(pair.borrowed()):
            # Another run of the tests is at it: the two would empty each other's databases.
            database_url = "" if database_url == pair.database_url else database_url
            redis_url = "" if redis_url == pair.redis_url else redis_url
            pair = None
        self.owns_database = not database_url or bool(pair and database_url == pair.database_url)
        self.database_url = database_url or (pair.database_url if pair else self._prepare_postgres(folder))
        self.redis_url = redis_url or (pair.redis_url if pair else self._prepare_redis(folder))

    def _prepare_postgres(self, folder: Path) -> str:
        self._postgres = Postgres(folder)
        return self._postgres.url

    def _prepare_redis(self, folder: Path) -> str:
        self._redis = Redis(folder)
        _start_when_first_connected(self)
        return self._redis.url

    def start_postgres(self) -> None:
        postgres, self._postgres = self._postgres, None
        if postgres:
            self._open.enter_context(postgres).start()

    def start_redis(self) -> None:
        redis, self._redis = self._redis, None
        if redis:
            self._open.enter_context(redis).start()

    @property
    def redis_is_up(self) -> bool:
        return self._redis is None

    @property
    def environment(self) -> dict[str, str]:
        """The variables for this process and its children. Our own server may keep databases for the next run."""
        own = "1" if self.owns_database else ""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "GENVID_TEST_OWN_DATABASE": own}

    def close(self) -> None:
        self._open.close()


def _start_when_first_connected(stack: Stack) -> None:
    """Cache, broker and rate limits all connect through redis-py."""
    from redis.connection import AbstractConnection  # noqa: PLC0415 - only a run that uses Redis pays for it

    connect = AbstractConnection.connect

    def start_and_connect(connection: AbstractConnection) -> None:
        stack.start_redis()
        connect(connection)

    AbstractConnection.connect = start_and_connect  # type: ignore[method-assign]

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth.hashers import MD5PasswordHasher

from accounts.auth.password_hashers import OwaspArgon2PasswordHasher

NEW = "argon2$argon2id$v=19$m=19456,t=2,p=1"
FORMER = "argon2$argon2id$v=19$m=102400,t=2,p=8"


class CountingHasher(MD5PasswordHasher):
    """Counts its calls."""

    algorithm = "counting"
    runs: ClassVar[int] = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).runs += 1
        return super().encode(password, salt)

    def decode(self, encoded: str) -> Any:
        return super().decode(encoded)


class SlowHasher(MD5PasswordHasher):
    """Runs `meanwhile` once, while a new password is hashed."""

    meanwhile: ClassVar[Callable[[], Any] | None] = None

    def salt(self) -> str:
        callback, SlowHasher.meanwhile = SlowHasher.meanwhile, None
        if callback:
            callback()
        return super().salt()


class RecordingArgon2Hasher(OwaspArgon2PasswordHasher):
    """Notes the parameters of each hash that it computes."""

    computed: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.computed.append(NEW)
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        self.computed.append(parameters_of(encoded))
        return super().verify(password, encoded)


def parameters_of(encoded: str) -> str:
    return encoded.rsplit("$", 2)[0]

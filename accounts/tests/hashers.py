from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth.hashers import MD5PasswordHasher


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

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth.hashers import MD5PasswordHasher


class CountingHasher(MD5PasswordHasher):
    """Counts how often it is put to work."""

    algorithm = "counting"
    runs: ClassVar[int] = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).runs += 1
        return super().encode(password, salt)

    def decode(self, encoded: str) -> Any:
        return super().decode(encoded)


class SlowHasher(MD5PasswordHasher):
    """Something happens while a new password is hashed."""

    meanwhile: ClassVar[Callable[[], Any] | None] = None

    def salt(self) -> str:
        deed, SlowHasher.meanwhile = SlowHasher.meanwhile, None
        if deed:
            deed()
        return super().salt()

"""What can go wrong on the way out. `sent` is False only when it is certain that no byte of the request left us."""


class HttpError(Exception):
    sent = True


class Unreachable(HttpError):
    """No connection, or one that broke. After `sent` we do not know what the other side did."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        self.sent = sent
        super().__init__(message)


class Timeout(HttpError):
    """Connected, but no complete answer in time."""


class TooLarge(HttpError):
    """The answer is larger than the caller allows."""


class Truncated(HttpError):
    """The answer ended before the length that it announced."""


class Redirected(HttpError):
    """A redirect, which is never followed: it could lead anywhere, with our headers on board."""

    def __init__(self, status: int, location: str | None = None) -> None:
        self.status = status
        self.location = location
        super().__init__(f"answered {status}, and redirects are not followed")


class BadStatus(HttpError):
    """A download answered something else than the file."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"answered {status}")


class WrongType(HttpError):
    """A download of a content type, or in an encoding, that was not asked for."""


class RangeRefused(HttpError):
    """The download cannot be resumed: start again from the beginning."""


class ForbiddenAddress(HttpError):
    """An address that must not be called. `temporary` when it is only that the name could not be looked up now."""

    sent = False

    def __init__(self, reason: str, *, temporary: bool = False) -> None:
        self.reason = reason
        self.temporary = temporary
        super().__init__(reason)

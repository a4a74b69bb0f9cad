"""Errors of outgoing requests. `sent` is False only when it is certain that no byte of the request was sent."""


class HttpError(Exception):
    sent = True


class Unreachable(HttpError):
    """No connection, or one that broke. If `sent`, the outcome on the other side is unknown."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        self.sent = sent
        super().__init__(message)


class Timeout(HttpError):
    """Connected, but no complete answer in time."""


class TooLarge(HttpError):
    """The answer is larger than the caller allows."""


class Truncated(HttpError):
    """The answer ended before its announced length."""


class Redirected(HttpError):
    """Redirects are never followed: they could lead anywhere with our headers."""

    def __init__(self, status: int, location: str | None = None) -> None:
        self.status = status
        self.location = location
        super().__init__(f"answered {status}, and redirects are not followed")


class BadStatus(HttpError):
    """A download's status is neither 200 nor 206."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"answered {status}")


class WrongType(HttpError):
    """A download has a content type or encoding that was not asked for."""


class RangeRefused(HttpError):
    """The download cannot be resumed: start again from the beginning."""


class ForbiddenAddress(HttpError):
    """An address that must not be called. `temporary`: only because the name could not be resolved now."""

    sent = False

    def __init__(self, reason: str, *, temporary: bool = False) -> None:
        self.reason = reason
        self.temporary = temporary
        super().__init__(reason)

"""Errors of outgoing requests. `sent` is False only when it is certain that no byte of the request was sent."""


class HttpError(Exception):
    sent = True


class Unreachable(HttpError):
    def __init__(self, message: str, *, sent: bool = True) -> None:
        self.sent = sent
        super().__init__(message)


class Timeout(HttpError):
    pass


class TooLarge(HttpError):
    pass


class Truncated(HttpError):
    pass


class Redirected(HttpError):
    """Redirects are never followed: they could lead anywhere with our headers."""

    def __init__(self, status: int, location: str | None = None) -> None:
        self.status = status
        self.location = location
        super().__init__(f"answered {status}, and redirects are not followed")


class BadStatus(HttpError):
    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"answered {status}")


class WrongType(HttpError):
    pass


class RangeRefused(HttpError):
    """The download cannot be resumed: start again from the beginning."""


class ForbiddenAddress(HttpError):
    """An address that must not be called. `temporary`: only because the name could not be resolved now."""

    sent = False

    def __init__(self, reason: str, *, temporary: bool = False) -> None:
        self.reason = reason
        self.temporary = temporary
        super().__init__(reason)

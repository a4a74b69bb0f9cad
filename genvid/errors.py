"""Errors that clients see, one class per error code, with its status.

Raise them anywhere below a view; `genvid.api.exceptions` turns them into the envelope. Messages may change, codes not.
"""

from collections.abc import Mapping

MAX_DETAILS = 20


class DomainError(Exception):
    """`details` maps field names to messages; `retry_after` is in seconds."""

    code = "server_error"
    status = 500
    message = "Something went wrong on our side."
    retryable = False

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = message or self.message
        self.details = dict(details) if details else None
        self.retry_after = retry_after
        super().__init__(self.message)


class ServerError(DomainError):
    retryable = True


class ValidationFailed(DomainError):
    code = "validation_error"
    status = 400
    message = "Some fields are not valid."


class MalformedBody(DomainError):
    code = "parse_error"
    status = 400
    message = "The body is not valid JSON."


class RequestTimeout(DomainError):
    code = "request_timeout"
    status = 408
    message = "The body came too slowly."
    retryable = True


class BodyTooLarge(DomainError):
    code = "payload_too_large"
    status = 413
    message = "The body is too large."


class UploadTooLarge(DomainError):
    code = "upload_too_large"
    status = 413
    message = "The file is too large."


class UploadRefused(DomainError):
    code = "upload_refused"
    status = 400
    message = "The file cannot be used."


class ConsentRequired(DomainError):
    code = "consent_required"
    status = 400
    message = "Confirm that the person agrees."


class ContentRefused(DomainError):
    code = "content_refused"
    status = 400
    message = "This text is not allowed here."


class NotAuthenticated(DomainError):
    code = "not_authenticated"
    status = 401
    message = "Authentication is missing or not valid."


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    status = 401
    message = "The e-mail or the password is wrong."


class TotpRequired(DomainError):
    code = "totp_required"
    status = 401
    message = "Send the code of your authenticator app as totp_code, too."


class TokenInvalid(DomainError):
    code = "token_invalid"
    status = 401
    message = "The token is not valid, has expired or was used before."


class InsufficientCredits(DomainError):
    code = "insufficient_credits"
    status = 402
    message = "The wallet does not cover this."


class KeyLimitReached(DomainError):
    code = "key_limit_reached"
    status = 402
    message = "The monthly credit limit of this API key does not cover this."


class RateLimited(DomainError):
    code = "rate_limited"
    status = 429
    message = "Too many requests; wait a little."
    retryable = True


class PermissionDenied(DomainError):
    code = "permission_denied"
    status = 403
    message = "Your role does not allow this."


class EmailNotVerified(DomainError):
    code = "email_not_verified"
    status = 403
    message = "Verify your e-mail address first."


class NotFound(DomainError):
    code = "not_found"
    status = 404
    message = "There is nothing at this address."


class MethodNotAllowed(DomainError):
    code = "method_not_allowed"
    status = 405
    message = "This method is not offered here."


class UnsupportedMediaType(DomainError):
    code = "unsupported_media_type"
    status = 415
    message = "Send the body as application/json, or as a type that this call names."


class Conflict(DomainError):
    code = "conflict"
    status = 409
    message = "This conflicts with something that exists."


class SlotsFull(DomainError):
    code = "slots_full"
    status = 409
    message = "Your plan allows no more of these: delete one first, or change the plan."


class InvalidState(DomainError):
    code = "invalid_state"
    status = 409
    message = "This cannot be done in the present state."


class IdempotencyInProgress(DomainError):
    code = "idempotency_in_progress"
    status = 409
    message = "A request with this Idempotency-Key is still running."
    retryable = True


class IdempotencyKeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    message = "This Idempotency-Key was used with another request."


class ProviderUnavailable(DomainError):
    code = "provider_unavailable"
    status = 503
    message = "A provider that this needs does not answer at present."
    retryable = True


class Overloaded(DomainError):
    code = "overloaded"
    status = 503
    message = "Too much is going on at present; try again shortly."
    retryable = True

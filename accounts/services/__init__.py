"""What people do, one module a deed. Other rooms use the names below; this room imports the modules."""

from accounts.services.profiles import update_profile
from accounts.services.signing_in import SignedIn, login, logout, refresh, register
from accounts.services.verifying import request_verification, require_verified_email, verification_token, verify_email

__all__ = [
    "SignedIn",
    "login",
    "logout",
    "refresh",
    "register",
    "request_verification",
    "require_verified_email",
    "update_profile",
    "verification_token",
    "verify_email",
]

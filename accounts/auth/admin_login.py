"""Login form of the admin: password and TOTP code, throttled like the API's login."""

from typing import Any

from django import forms
from django.conf import settings
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from accounts import audit_log
from accounts.auth import credentials, sign_in, throttling, totp
from accounts.enums import AuditAct
from genvid.errors import DomainError, InvalidCredentials, TotpRequired

NOT_ENROLLED = "Staff need an authenticator app. Ask an operator to run: manage.py enroll_totp"

SIGNED_IN_DETAIL: dict[str, Any] = {"door": "admin"}  # the key of existing rows of the audit log


class StaffLoginForm(AuthenticationForm):
    """Sets `otp_device`, which django-otp's middleware takes as verified until logout."""

    code = forms.CharField(
        label="Code of your authenticator app, or a recovery code",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        if given.get("username") and given.get("password"):
            self.user_cache = self._verified_user(given["username"], given["password"], given.get("code", ""))
        return given

    def _verified_user(self, email: str, password: str, code: str) -> Any:
        try:
            user: Any = credentials.verify_credentials(email=email, password=password, code=code).user
            self.confirm_login_allowed(user)
            device = totp.authenticator_of(user)
            if device is None and settings.REQUIRE_STAFF_TOTP:
                raise forms.ValidationError(f"{NOT_ENROLLED} {user.email}", code="not_enrolled")
            sign_in.record_sign_in(user)
            throttling.remember_network(user.pk)
        except InvalidCredentials:
            raise self.get_invalid_login_error() from None
        except DomainError as error:
            raise forms.ValidationError(_form_message(error), code=error.code) from None
        user.otp_device = device
        audit_log.record(AuditAct.SIGNED_IN, account_id=None, user_id=user.pk, **SIGNED_IN_DETAIL)
        return user


def _form_message(error: DomainError) -> str:
    if isinstance(error, TotpRequired):
        return "Enter the code of your authenticator app, too."
    return f"{error.message} Try again in {error.retry_after} seconds." if error.retry_after else error.message

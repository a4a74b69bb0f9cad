"""Django configuration of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Importing connects the receivers and registers the mail composers.
        from accounts import mail_composers, receivers  # noqa: F401, PLC0415 - models are loaded only now

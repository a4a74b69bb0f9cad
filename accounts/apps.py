from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Receivers connect and composers register themselves.
        from accounts import receivers  # noqa: F401, PLC0415 - models are loaded only now
        from accounts.services import mail_composers  # noqa: F401, PLC0415 - models are loaded only now

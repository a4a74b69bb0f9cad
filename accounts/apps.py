from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Receivers connect and composers register themselves.
        from accounts import mail_composers, receivers  # noqa: F401, PLC0415 - models are loaded only now

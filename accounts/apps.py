from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # The receivers connect themselves.
        from accounts import receivers  # noqa: F401, PLC0415 - models are loaded only now

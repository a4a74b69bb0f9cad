"""Optional reports to others: errors to Sentry, traces to an OpenTelemetry collector.

Their packages (requirements-observability.txt) are imported only with their settings.
"""

from importlib import import_module
from typing import Any

from django.conf import settings

from genvid.configuration import ConfigurationError

MODULES = {
    "SENTRY_DSN": "genvid.observability.error_reports",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "genvid.observability.tracing",
}
PACKAGES = ("sentry_sdk", "opentelemetry")


def start() -> None:
    """Call it once per process. Raises ConfigurationError where a setting's package is missing."""
    for name, module in MODULES.items():
        if getattr(settings, name):
            _load(name, module).start()


def _load(setting: str, module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(PACKAGES):
            raise
        raise ConfigurationError(
            f"{setting} is set, and {error.name} is not installed: install requirements-observability.lock, or build "
            "the image with OBSERVABILITY=on."
        ) from error

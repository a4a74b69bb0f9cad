"""Reads declared settings from the environment. Malformed values end the process with one line each that says why."""

import builtins
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from environ import Env
from limits import RateLimitItem

from genvid.configuration.declared import SETTINGS
from genvid.configuration.setting import SETTINGS_FILE, Setting

Value = TypeVar("Value")
Words = list[str]


class ConfigurationError(ImproperlyConfigured, SystemExit):
    """A setting that the operator must correct; the message names it.

    A SystemExit too: every program that loads the settings (manage.py, granian, celery) prints the message without a
    traceback and exits with code 1.
    """

    def __init__(self, message: builtins.str, *others: builtins.str) -> None:
        super().__init__(message)
        self.code = "\n".join(f"genvid: {each}" for each in (message, *others))


class DeclaredEnv:
    """django-environ's typed readers for the settings of `declared`, with their defaults.

    `default` is only for settings that genvid/settings.py computes. Raises ConfigurationError for a missing or
    malformed value.
    """

    def __init__(self, declared: Mapping[builtins.str, Setting] = SETTINGS) -> None:
        self.values: dict[builtins.str, Any] = {}
        self._declared = declared
        self._env = Env()

    def str(self, name: builtins.str, default: builtins.str | None = None) -> builtins.str:
        return self._read(name, builtins.str, default)

    def bool(self, name: builtins.str, default: builtins.bool | None = None) -> builtins.bool:
        return self._read(name, builtins.bool, default)

    def int(self, name: builtins.str, default: builtins.int | None = None) -> builtins.int:
        return self._read(name, builtins.int, default)

    def float(self, name: builtins.str, default: builtins.float | None = None) -> builtins.float:
        return self._read(name, builtins.float, default)

    def list(self, name: builtins.str, default: Words | None = None) -> Words:
        return self._read(name, builtins.list, default)

    def path(self, name: builtins.str, default: Path | None = None) -> Path:
        return self._read(name, Path, default).absolute()

    def rate(self, name: builtins.str) -> RateLimitItem:
        return self._read(name, RateLimitItem, None)

    def db_url(self, name: builtins.str, default: builtins.str) -> dict[builtins.str, Any]:
        return self._read(name, dict, Env.db_url_config(default))

    def email_url(self, name: builtins.str) -> dict[builtins.str, Any]:
        return self._read(name, dict, None)

    def _read(self, name: builtins.str, wanted: type[Value], default: Value | None) -> Value:
        setting = self._declared[name]
        try:
            return self._value_of(setting, wanted, default)
        except ConfigurationError as error:
            raise ConfigurationError(builtins.str(error), *self._problems(but=name)) from None

    def _value_of(self, setting: Setting, wanted: type[Value], default: Value | None) -> Value:
        name = setting.name
        if (default is not None) != builtins.bool(setting.computed):
            raise TypeError(f"{name}: a default is given exactly where its declaration says that it is computed.")
        text = self._text_of(setting)
        if text is None and default is not None:
            value: Any = default
        else:
            value = _parse(setting, self._default_of(setting) if text is None else text)
        # Exactly: True is an int as well.
        if not isinstance(value, wanted) or (wanted is builtins.int and isinstance(value, builtins.bool)):
            raise TypeError(f"{name} is declared as {setting.kind}, which is no {wanted.__name__}.")
        self.values[name] = value
        return value

    def _problems(self, *, but: builtins.str) -> Iterator[builtins.str]:
        for name, setting in self._declared.items():
            if name == but or setting.read_by != SETTINGS_FILE:
                continue
            try:
                text = self._text_of(setting)
                if text is not None:
                    _parse(setting, text)
            except ConfigurationError as error:
                yield builtins.str(error)

    def _text_of(self, setting: Setting) -> builtins.str | None:
        """None if unset. A leading $ names another variable (django-environ)."""
        if setting.comes_from_file and (path := os.environ.get(f"{setting.name}_FILE")):
            return _content(f"{setting.name}_FILE", path)
        if setting.name not in self._env:
            return None
        try:
            return builtins.str(self._env.get_value(setting.name, cast=builtins.str))
        except ImproperlyConfigured:
            # Not django-environ's own message: where a secret begins with $, that would show it.
            message = f"{setting.name} begins with $, which stands for another variable, and that one is not set."
            raise ConfigurationError(message) from None

    def _default_of(self, setting: Setting) -> builtins.str:
        if setting.testing is not None and self.bool("GENVID_TEST"):
            return setting.testing
        if setting.embedded is not None and self.bool("GENVID_EMBEDDED"):
            return setting.embedded
        if setting.default is None:
            raise ConfigurationError(f"{setting.name} is not set: write {setting.kind.expected} ({_WHERE}).")
        return setting.default


_WHERE = "in the environment or in .env; docs/configuration.md"


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name} names a file that cannot be read: {error}.") from None


def _parse(setting: Setting, text: str) -> Any:
    try:
        return setting.kind.parse(text)
    except ValueError:
        shown = "its value" if setting.secret else repr(text)
        message = f"{setting.name}: {shown} is not usable: write {setting.kind.expected} ({_WHERE})."
        raise ConfigurationError(message) from None

"""The settings: deployment checks, unknown names, and columns that decrypt."""

from collections.abc import Iterator

from django.apps import apps
from django.core.checks import ERROR, WARNING, CheckMessage
from django.core.checks.registry import registry
from django.db import DatabaseError, connection, models
from encrypted_fields.fields import EncryptedFieldMixin

from genvid.doctor.checks import Finding, check, failed, ok, warning

OURS = "genvid."
"""Warnings of others are meant for sites that end TLS themselves; their errors count."""
CORRECT = "Correct them in .env; docs/configuration.md says what each setting does."
SAMPLE = 500
CIPHERTEXT = "gAAAA"
"""Every ciphertext of Fernet begins with it: its first bytes are a version and the high bytes of a time."""


@check("settings", seconds=30, advice="`manage.py check --deploy` shows them.")
def ask_settings() -> Iterator[Finding]:
    found = [each for each in messages() if each.level >= (WARNING if (each.id or "").startswith(OURS) else ERROR)]
    for each in found:
        said = f"{each.id}: {each.msg}".rstrip(".")
        yield failed(said, CORRECT) if each.level >= ERROR else warning(said, CORRECT)
    if not found:
        yield ok("no finding of check --deploy")


def messages() -> Iterator[CheckMessage]:
    """Of every check: one that needs the database is left out while that does not answer."""
    for each in registry.get_checks(include_deployment_checks=True):
        try:
            yield from (found for found in each(app_configs=None, databases=None) if not found.is_silenced())
        except DatabaseError:
            connection.close()


@check("settings", seconds=30, advice="It cannot be told without the database.")
def ask_encrypted_columns() -> Iterator[Finding]:
    """Nothing without a database: its own part tells that."""
    try:
        unreadable = unreadable_columns()
    except DatabaseError:
        return
    if unreadable:
        yield failed(
            f"cannot be decrypted: {', '.join(unreadable)}",
            "Put the SALT_KEY (and SECRET_KEY) back that they were written with; SALT_KEY may list old keys last.",
        )
    else:
        yield ok("encrypted columns decrypt")


def unreadable_columns() -> list[str]:
    return [name for name, values in encrypted_values() if any(value.startswith(CIPHERTEXT) for value in values)]


def encrypted_values() -> Iterator[tuple[str, list[str]]]:
    """By column, the values of the oldest and of the newest rows; what does not decrypt comes as it is stored."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedFieldMixin):
                yield f"{model._meta.label}.{field.name}", _sample(model, field.name)


def _sample(model: type[models.Model], name: str) -> list[str]:
    rows = model._default_manager.exclude(**{name: None}).values_list(name, flat=True)
    return [*rows.order_by("pk")[:SAMPLE], *rows.order_by("-pk")[:SAMPLE]]

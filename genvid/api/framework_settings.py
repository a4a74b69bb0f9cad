"""Django REST framework's settings that no variable changes."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["genvid.api.renderers.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["genvid.api.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.auth.authentication.BearerAuthentication",
        "accounts.auth.authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasScope"],
    "DEFAULT_PAGINATION_CLASS": "genvid.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_SCHEMA_CLASS": "genvid.api.schema.EnvelopeAutoSchema",
    "EXCEPTION_HANDLER": "genvid.api.exceptions.envelope_exception_handler",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "genvid.api.negotiation.JSONOnlyNegotiation",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_METADATA_CLASS": None,
}

"""How drf-spectacular makes the OpenAPI document. Read by the settings."""

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "genvid",
    "DESCRIPTION": "Send a script, pick an avatar and a voice, get a finished MP4 back. Paid in credits.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "genvid.api.schema.complete",
    ],
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_NAME_OVERRIDES": {
        "VideoStatusEnum": "videos.enums.PublicStatus",
        "AvatarKindEnum": "avatars.enums.AvatarKind",
        "RoleEnum": "accounts.enums.Role",
        "InvitableRoleEnum": "accounts.enums.Invitable",
        "LedgerKindEnum": "billing.enums.EntryKind",
        "PlanKindEnum": "billing.enums.PlanKind",
        "PaymentKindEnum": "billing.enums.PaymentKind",
        "PaymentStatusEnum": "billing.enums.PaymentStatus",
        "CheckoutStatusEnum": "billing.enums.CheckoutStatus",
        "InvoiceStatusEnum": "billing.enums.InvoiceStatus",
        "DeliveryStatusEnum": "accounts.enums.DeliveryStatus",
        "ExportStatusEnum": "accounts.enums.ExportStatus",
    },
}

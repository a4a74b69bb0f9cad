"""How drf-spectacular makes the OpenAPI document: its introduction, its tags. Read by the settings."""

from typing import Any

DESCRIPTION = """Send a script, pick an avatar and a voice, get a finished MP4 back. Paid in credits.

**Envelope.** Every JSON answer is `{"success": true, "data": …, "meta": {"request_id": …}}` or
`{"success": false, "error": {"code", "message", "details"?, "retryable", "doc_url"}, "meta": …}`. Branch on
`error.code`; `doc_url` leads to the page that explains it.

**Signing in.** `Authorization: Bearer <access token>` from `auth/login`, or an API key, as `X-API-Key: gv_…` or
`Authorization: Bearer gv_…`. Each operation names the scope that it needs.

**Lists** are newest first. `meta.next_cursor` is the `?cursor=` of the next page; `?limit=` is 1 to 100, 20 by default.

**Repeating safely.** POSTs that create or spend take an `Idempotency-Key`: the same key and body within 24 hours get
the first answer again, with `Idempotent-Replayed: true`.

**Strictness.** Unknown fields and query parameters are refused, and types are not converted, so that typos are seen.
A method that a path does not have is answered 405 with `Allow`. An error of ours is 500 `server_error`."""
TAGS = [
    {"name": "Signing in", "description": "Registration, tokens, passwords, sessions and the second factor."},
    {"name": "Profile and team", "description": "People, the accounts they belong to, and who did what."},
    {"name": "API keys", "description": "For programs: each with scopes, an expiry and a budget of its own."},
    {"name": "Avatars and voices", "description": "Who speaks, and how. The catalogue follows HeyGen's."},
    {"name": "Uploads", "description": "Files of your own: pictures, recordings and films that videos are made with."},
    {"name": "Videos", "description": "Quote, create, watch, download."},
    {"name": "Speech", "description": "A script is heard, and its price known, before a video is paid for."},
    {"name": "Batches", "description": "One script, up to 1,000 videos."},
    {"name": "Billing and usage", "description": "The wallet, its ledger, plans, payments and the usage."},
    {
        "name": "Webhooks",
        "description": "Your endpoints, and what was sent to them. What is sent is described under webhooks.",
    },
]
"""In display order. A viewset names its `tag`."""

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "DESCRIPTION": DESCRIPTION,
    "TAGS": TAGS,
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
        "VideoKindEnum": "videos.enums.VideoKind",
        "SpeechStatusEnum": "videos.enums.SpeechStatus",
        "AvatarKindEnum": "avatars.enums.AvatarKind",
        "OwnAvatarKindEnum": "avatars.enums.OwnAvatarKind",
        "OwnVoiceKindEnum": "avatars.enums.OwnVoiceKind",
        "EntryStatusEnum": "avatars.enums.EntryStatus",
        "ConsentStatusEnum": "avatars.enums.ConsentStatus",
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
        "UploadKindEnum": "avatars.enums.UploadKind",
        "UploadStatusEnum": "avatars.enums.UploadStatus",
    },
}

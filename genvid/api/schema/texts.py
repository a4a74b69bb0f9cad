"""The words of the OpenAPI document as a whole: its introduction, its tags, what each status means.

Those of one operation stand in its `Endpoint`.
"""

SIGNING_IN, TEAM, VIDEOS, BILLING = "Signing in", "Profile and team", "Videos", "Billing and usage"
TAGS = {
    SIGNING_IN: "Registration, tokens, passwords, sessions and the second factor.",
    TEAM: "People, the accounts they belong to, and who did what.",
    "API keys": "For programs: each with scopes, an expiry and a budget of its own.",
    "Avatars and voices": "Who speaks, and how. The catalogue follows HeyGen's.",
    VIDEOS: "Quote, create, watch, download.",
    "Batches": "One script, up to 1,000 videos.",
    BILLING: "The wallet, its ledger, plans, payments and the usage.",
    "Webhooks": "Your endpoints, and what was sent to them. What is sent is described under webhooks.",
}
"""In the order in which the pages show them."""
ROOMS = {
    "auth": SIGNING_IN,
    **dict.fromkeys(("profile", "exports", "accounts", "account", "team", "audit-log"), TEAM),
    "api-keys": "API keys",
    **dict.fromkeys(("avatars", "voices"), "Avatars and voices"),
    "videos": VIDEOS,
    "batches": "Batches",
    **dict.fromkeys(("billing", "usage"), BILLING),
    **dict.fromkeys(("webhook-endpoints", "webhook-deliveries"), "Webhooks"),
}
STATUSES = {
    "200": "Done.",
    "201": "Made.",
    "202": "Accepted; it goes on by itself.",
    "204": "Done; there is nothing to say.",
    "302": "Go to `Location`.",
    "304": "You have it already.",
}


def tag(room: str) -> str:
    """Of the first part of a path."""
    return ROOMS.get(room, room.replace("-", " ").capitalize())


ABOUT = """Send a script, pick an avatar and a voice, get a finished MP4 back. Paid in credits.

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

"""What no code can tell of an operation: its summary in plain words, and the errors that only its own work can meet.

What the views declare (scopes, parsers, parameters, Idempotency-Key) is not repeated here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Of one operation. `refuses`: error codes beside those that its view's declarations imply."""

    summary: str
    refuses: tuple[str, ...] = ()
    description: str = ""


SPENDS = ("insufficient_credits", "key_limit_reached", "email_not_verified")

OPERATIONS = {
    # Signing in
    "register": Words("Register, and be signed in", (), "Makes a person, their account and its wallet."),
    "login": Words("Sign in", ("invalid_credentials", "totp_required")),
    "refresh": Words(
        "Get new tokens for a refresh token",
        ("token_invalid",),
        "Each refresh token works once. Using an old one again ends the session, whoever did it.",
    ),
    "logout": Words(
        "Sign out", ("token_invalid",), "The refresh token is the proof: an access token is not asked for."
    ),
    "request_email_verification": Words("Send the verification mail again"),
    "verify_email": Words("Verify an e-mail address", ("token_invalid",), "With the token of the mail; it works once."),
    "forgot_password": Words(
        "Ask for a mail to reset the password", (), "The answer is the same whether or not the address is known."
    ),
    "reset_password": Words(
        "Set a new password with the token of the mail", ("token_invalid",), "Signs out everywhere."
    ),
    "change_password": Words(
        "Change the password", ("invalid_credentials",), "Signs out everywhere else; go on with the new tokens."
    ),
    "list_sessions": Words("List where you are signed in"),
    "end_all_sessions": Words("Sign out everywhere"),
    "end_session": Words("Sign out somewhere else"),
    "get_totp": Words("Show whether a second factor is on"),
    "start_totp": Words("Start to set up a second factor", ("invalid_state", "invalid_credentials")),
    "confirm_totp": Words("Turn the second factor on", ("invalid_state",), "Shows the recovery codes, this once."),
    "disable_totp": Words("Turn the second factor off", ("invalid_state", "invalid_credentials")),
    # People and accounts
    "get_profile": Words("Show your profile"),
    "update_profile": Words("Change your profile"),
    "erase_profile": Words("Have your data erased", ("invalid_credentials", "conflict", "invalid_state")),
    "export_profile": Words("Have a copy of your data mailed"),
    "get_profile_export": Words("Show your last export", ("not_found",)),
    "download_export": Words("Download an export"),
    "list_accounts": Words("List your accounts"),
    "rename_account": Words("Rename the account"),
    "switch_account": Words("Go on in another account"),
    "list_members": Words("List the team"),
    "update_member": Words("Change a member's role", ("conflict",)),
    "remove_member": Words("Remove a member", ("conflict",), "Their access ends within a minute."),
    "leave_account": Words("Leave the account", ("conflict",)),
    "transfer_ownership": Words("Hand the account over to a member", ("invalid_credentials",)),
    "list_invitations": Words("List the open invitations"),
    "create_invitation": Words("Invite somebody by mail", ("conflict", "email_not_verified")),
    "revoke_invitation": Words("Take an invitation back"),
    "resend_invitation": Words("Send an invitation again", ("email_not_verified",)),
    "accept_invitation": Words(
        "Accept an invitation",
        ("token_invalid", "invalid_credentials", "totp_required", "permission_denied", "conflict"),
    ),
    "list_audit_log": Words("List what was done that matters for security"),
    # Keys and webhooks
    "list_api_keys": Words("List the API keys", (), "Their secrets are not kept and cannot be shown again."),
    "create_api_key": Words("Make an API key", ("conflict",), "`key` is the key itself, shown this once."),
    "revoke_api_key": Words("Revoke an API key", (), "It stops working at once."),
    "list_webhook_endpoints": Words("List the webhook endpoints"),
    "create_webhook_endpoint": Words("Register a webhook endpoint", ("conflict",), "`secret` is shown this once."),
    "get_webhook_endpoint": Words("Show a webhook endpoint"),
    "update_webhook_endpoint": Words("Change a webhook endpoint"),
    "delete_webhook_endpoint": Words("Remove a webhook endpoint"),
    "rotate_webhook_secret": Words(
        "Get a new signing secret", (), "For 24 hours every delivery is signed with both, the old one and the new one."
    ),
    "test_webhook_endpoint": Words("Send a ping to a webhook endpoint", ("invalid_state",)),
    "list_webhook_deliveries": Words(
        "List what was sent to a webhook endpoint", (), "With every attempt, for 30 days."
    ),
    "retry_webhook_delivery": Words("Send a delivery again now", ("invalid_state",)),
    # The catalogue
    "list_avatars": Words("List the avatars"),
    "get_avatar": Words("Show an avatar"),
    "list_voices": Words("List the voices"),
    "get_voice": Words("Show a voice"),
    # Videos
    "quote_video": Words("Ask what a video would cost", (), "Changes nothing. Takes the same body as creating it."),
    "create_video": Words(
        "Create a video",
        SPENDS,
        "It is queued at once, and its credits are set aside; with `draft: true` it waits for `generate`. "
        "What is not used is given back when it is done. Failed and canceled videos cost nothing.",
    ),
    "list_videos": Words("List the videos", (), "Newest first."),
    "get_video": Words("Show a video"),
    "update_video": Words(
        "Change a video", ("invalid_state",), "`title` and `metadata` at any time, everything else while it is a draft."
    ),
    "delete_video": Words("Delete a video", ("invalid_state",), "A draft, or one that has ended. Its files go too."),
    "generate_video": Words("Order a draft", (*SPENDS, "invalid_state")),
    "cancel_video": Words("Cancel a queued video", ("invalid_state",), "Its credits are given back at once."),
    "retry_video": Words(
        "Order a failed or canceled video again",
        (*SPENDS, "invalid_state"),
        "Makes a new video; its `retry_of` is the old one.",
    ),
    "list_video_events": Words("Follow a video's history", ("overloaded",)),
    "get_video_file": Words("Get the MP4", (), "Redirects to a short-lived link that honours `Range`."),
    "get_video_thumbnail": Words("Get the thumbnail", (), "Redirects to a short-lived link to a JPEG."),
    "get_video_captions": Words("Get the captions", (), "Redirects to a short-lived link to an SRT or VTT file."),
    # Batches
    "quote_batch": Words("Ask what a batch would cost", (), "Changes nothing. Takes the same body as creating it."),
    "create_batch": Words(
        "Create many videos from one script",
        SPENDS,
        "Up to 1,000 rows fill the `{{variables}}` of script and title. Every row is checked before any is accepted.",
    ),
    "list_batches": Words("List the batches"),
    "get_batch": Words("Show a batch"),
    "cancel_batch": Words("Cancel what is left of a batch", ("invalid_state",)),
    "get_batch_results": Words("Get a batch's results as CSV"),
    # Money
    "get_wallet": Words("Show the wallet", ("not_found",)),
    "list_ledger": Words("List every movement of credits"),
    "list_plans": Words("List what is for sale", (), "Subscriptions, monthly and yearly, and packs of credits."),
    "create_checkout": Words(
        "Buy a plan or a pack",
        ("conflict",),
        "Opens a page of Stripe's. Credits come once it is paid there: a webhook (`payment.succeeded`) tells.",
    ),
    "get_checkout": Words("Show how far a purchase has come", (), "For buyers who are back from Stripe's page."),
    "create_portal": Words(
        "Open the customer portal", ("conflict",), "A page of Stripe's: change plan and card, cancel, find invoices."
    ),
    "get_subscription": Words("Show the subscription", (), "The present one, else the last."),
    "list_invoices": Words("List the invoices", (), "With links to their pages and PDFs."),
    "list_payments": Words("List the payments", (), "And what went back of each, by refund or dispute."),
    "get_payment": Words("Show a payment"),
    "get_auto_top_up": Words("Show what is bought automatically"),
    "set_auto_top_up": Words(
        "Have credits bought when they run low", (), "With the card that was saved last, within a monthly limit."
    ),
    "get_usage": Words("Show what was used"),
}

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


def of(operation_id: str) -> Words:
    """An operation that is not in the table is called by its name."""
    words = operation_id.replace("_", " ").capitalize()
    return OPERATIONS.get(operation_id) or Words(words)


def tag(room: str) -> str:
    """Of the first part of a path."""
    return ROOMS.get(room, room.replace("-", " ").capitalize())


ABOUT = """Send a script, pick an avatar and a voice, get a finished MP4 back. Paid in credits.

**Envelope.** Every JSON answer is `{"success": true, "data": …, "meta": {"request_id": …}}` or
`{"success": false, "error": {"code", "message", "details"?, "retryable"}, "meta": …}`. Branch on `error.code`.

**Signing in.** `Authorization: Bearer <access token>` from `auth/login`, or `X-API-Key: gv_…`. Each operation names the
scope that it needs.

**Lists** are newest first. `meta.next_cursor` is the `?cursor=` of the next page; `?limit=` is 1 to 100, 20 by default.

**Repeating safely.** POSTs that create or spend take an `Idempotency-Key`: the same key and body within 24 hours get
the first answer again, with `Idempotent-Replayed: true`.

**Strictness.** Unknown fields and query parameters are refused, and types are not converted, so that typos are seen.
A method that a path does not have is answered 405 with `Allow`. An error of ours is 500 `server_error`."""

"""Webhook endpoints, events and the account."""

from genvid.sandbox.stripe.list_pages import Condition, any_of, page
from genvid.sandbox.stripe.object_store import Json, list_object, new_id, parse_object, public_fields
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, missing_parameter
from genvid.sandbox.stripe.stripe_operations import Call, Operation
from genvid.sandbox.stripe.stripe_sender import UNDELIVERED

ACCOUNT = "acct_1SandboxGenvid0"


def create(call: Call) -> Json:
    """Only this answer shows the signing secret."""
    form, url = call.form, _url(call)
    events = form.texts("enabled_events")
    if not events:
        raise missing_parameter("enabled_events")
    endpoint = call.core.new(
        "webhook_endpoint",
        "we_1",
        **call.kept,
        enabled_events=events,
        metadata=form.map("metadata"),
        url=url,
        _secret=new_id("whsec_", 32),
    )
    return {**endpoint, "secret": endpoint["_secret"]}


def _url(call: Call) -> str:
    url = call.form.need("url")
    if not url.startswith(("http://", "https://")):
        raise StripeError("Invalid URL: An explicit scheme (such as https) must be provided.", param="url")
    return url


def update(call: Call) -> Json:
    form, endpoint = call.form, call.core.get_existing("webhook_endpoint", call.id)
    fields = call.updates(endpoint)
    if "url" in form:
        fields["url"] = _url(call)
    if "enabled_events" in form:
        fields["enabled_events"] = form.texts("enabled_events")
    if "disabled" in form:
        fields["status"] = "disabled" if form.flag("disabled") else "enabled"
    return call.core.save(endpoint, **fields)


def retrieve(call: Call) -> Json:
    return call.core.get_existing("webhook_endpoint", call.id)


def delete(call: Call) -> Json:
    endpoint = call.core.get_existing("webhook_endpoint", call.id)
    call.core.sender.abandon(endpoint["id"])
    return call.core.delete(endpoint)


def show_event(core: StripeCore, event: Json) -> Json:
    return {**public_fields(event), "pending_webhooks": core.sender.pending(event["id"])}


def read_event(call: Call) -> Json:
    return show_event(call.core, call.core.get("event", call.id))


def list_events(call: Call) -> Json:
    core, form, where = call.core, call.form, list[Condition]()
    wanted = form.text("type")
    if wanted:
        where.append(("type", "GLOB" if wanted.endswith("*") else "=", wanted))
    if "delivery_success" in form:
        where.append(("id", "NOT IN SELECT" if form.flag("delivery_success") else "IN SELECT", UNDELIVERED))
    return page(call, "event", any_of("types", "type"), where=tuple(where), show=lambda event: show_event(core, event))


def account(call: Call) -> Json:
    wanted = call.path.get("id", ACCOUNT)
    if wanted != ACCOUNT:
        message = f"The provided key does not have access to account '{wanted}' (or that account does not exist)."
        raise StripeError(message, status=403, code="account_invalid")
    return {
        "id": ACCOUNT,
        "object": "account",
        "business_profile": {"name": "genvid", "support_email": None, "url": None},
        "business_type": None,
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "sandbox@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "dashboard": {"display_name": "genvid sandbox", "timezone": "Etc/UTC"},
        },
        "type": "standard",
    }


def accounts(call: Call) -> Json:
    return list_object("/v1/accounts", [])


def all_events(core: StripeCore, after: str | None) -> list[Json]:
    rows = core.objects.rows("event", [])
    start = next((row["seq"] for row in rows if row["id"] == after), 0)
    return [show_event(core, parse_object(row["body"])) for row in rows if row["seq"] > start]


OPERATIONS = [
    Operation("POST", "/v1/webhook_endpoints", create),
    Operation("GET", "/v1/webhook_endpoints", lambda call: page(call, "webhook_endpoint")),
    Operation("GET", "/v1/webhook_endpoints/{id}", retrieve),
    Operation("POST", "/v1/webhook_endpoints/{id}", update),
    Operation("DELETE", "/v1/webhook_endpoints/{id}", delete),
    Operation("GET", "/v1/events", list_events),
    Operation("GET", "/v1/events/{id}", read_event),
    Operation("GET", "/v1/account", account),
    Operation("GET", "/v1/accounts", accounts),
    Operation("GET", "/v1/accounts/{id}", account),
]

"""Handles a request under `/v1`: faults, key, form, idempotency, handler, expansion, headers."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genvid.sandbox import faults
from genvid.sandbox.api_errors import ApiError, ConnectionDropped, RawAnswer
from genvid.sandbox.stripe import idempotency_keys, parameters
from genvid.sandbox.stripe.billing_parameters import BILLING_PARAMETERS
from genvid.sandbox.stripe.expansion import expand
from genvid.sandbox.stripe.form_bodies import Form, decoded
from genvid.sandbox.stripe.object_store import new_id, public_fields
from genvid.sandbox.stripe.payment_parameters import PAYMENT_PARAMETERS
from genvid.sandbox.stripe.stripe_core import API_VERSION, Cause, StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, translated, unauthorized
from genvid.sandbox.stripe.stripe_operations import Call, Operation

NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details."
)
METHODS = ["GET", "POST", "DELETE"]
PARAMETERS = {**PAYMENT_PARAMETERS, **BILLING_PARAMETERS}


@dataclass(frozen=True)
class ParsedRequest:
    request: Request
    request_id: str
    body: bytes
    key: str | None

    @property
    def form(self) -> Form:
        raw = self.body.decode("utf-8", "replace") if self.request.method == "POST" else ""
        return Form(decoded("&".join(filter(None, (self.request.url.query, raw)))))


def route(core: StripeCore, operation: Operation) -> Route:
    async def endpoint(request: Request) -> Response:
        core.store.count("requests", "route", operation.name)
        request_id = new_id("req_", 14)
        try:
            response = await _answer(core, operation, request, request_id)
        except StripeError as error:
            response = JSONResponse(error.body, error.status, error.headers)
        except ApiError as error:
            refusal = translated(error)
            response = JSONResponse(refusal.body, refusal.status, refusal.headers)
        except RawAnswer as answer:
            response = Response(answer.body, answer.status, media_type=answer.media_type)
        except ConnectionDropped:
            request.state.drop()
            response = Response()
        response.headers["Request-Id"] = request_id
        response.headers["Stripe-Version"] = request.headers.get("stripe-version", API_VERSION)
        return response

    return Route(operation.path, endpoint, methods=[operation.method])


def unrecognized(core: StripeCore) -> Route:
    def refuse(call: Call) -> dict[str, Any]:
        raise StripeError(
            f"Unrecognized request URL ({call.method}: {call.url}). Please see https://stripe.com/docs or we can help "
            "at https://support.stripe.com/.",
            status=404,
        )

    found = route(core, Operation("GET", "/v1/{rest:path}", refuse))
    return Route("/v1/{rest:path}", found.endpoint, methods=METHODS)


async def _answer(core: StripeCore, operation: Operation, request: Request, request_id: str) -> Response:
    _authorise(core, request)
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    parsed = ParsedRequest(request, request_id, await request.body(), key)
    if key is None:
        return await _with_faults(core, operation, parsed)
    if key in core.in_progress:
        raise idempotency_keys.key_in_use(key)
    core.in_progress.add(key)
    try:
        return await _with_faults(core, operation, parsed)
    finally:
        core.in_progress.discard(key)


async def _with_faults(core: StripeCore, operation: Operation, parsed: ParsedRequest) -> Response:
    fault = faults.take(core.store, parsed.request.method, parsed.request.url.path)
    await faults.apply_before(core.store, core.settings, fault)
    faults.apply_instead(core.settings)
    response = _replayed(core, operation, parsed)
    if fault.kind == "lost":
        raise ConnectionDropped
    if parsed.request.method == "POST":
        faults.apply_after(core.settings)
    return response


def _authorise(core: StripeCore, request: Request) -> None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    key = _basic_auth_user(value) if kind.lower() == "basic" else value.strip() if kind.lower() == "bearer" else ""
    if not key:
        raise unauthorized(NO_KEY)
    wanted = core.stripe_key
    if not key.startswith(("sk_", "rk_")) or (wanted and key != wanted):
        raise unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * 12}{key[-4:]}")


def _basic_auth_user(value: str) -> str:
    try:
        return base64.b64decode(value).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _replayed(core: StripeCore, operation: Operation, parsed: ParsedRequest) -> Response:
    path: str = parsed.request.url.path
    headers: dict[str, str] = {}
    if parsed.key is not None:
        headers = {"Idempotency-Key": parsed.key}
        earlier = idempotency_keys.find_answer(core.store, parsed.key, path, parsed.body)
        if earlier is not None:
            return JSONResponse(earlier[1], earlier[0], {**headers, "Idempotent-Replayed": "true"})
    with core.store.together():
        status, answer = _carry_out(core, operation, parsed)
        if parsed.key is not None:
            idempotency_keys.store_answer(core.store, parsed.key, path, parsed.body, status, answer)
    return JSONResponse(answer, status, headers)


def _carry_out(core: StripeCore, operation: Operation, parsed: ParsedRequest) -> tuple[int, Any]:
    """A declined card is an outcome, and all changes are kept; other refusals roll them back."""
    request, form = parsed.request, parsed.form
    core.reached_at(str(request.base_url).rstrip("/"))
    paths = form.texts("expand")
    form.values.pop("expand", None)
    kept = _kept(operation, form)
    path = {name: str(value) for name, value in request.path_params.items()}
    call = Call(core, form, path, request.method, request.url.path, kept)
    ids = [*path.values(), *(value for value in form.values.values() if isinstance(value, str))]
    with core.caused_by(Cause(parsed.request_id, parsed.key)), core.on_clock_of(ids):
        try:
            return 200, expand(core, public_fields(operation.handler(call)), paths)
        except StripeError as error:
            if error.status != 402:
                raise
            return error.status, error.body


def _kept(operation: Operation, form: Form) -> parameters.Values:
    """Checks the parameters of a write; reads ignore filters that they do not know."""
    declared = PARAMETERS.get(operation.name)
    if declared is None:
        return {}
    parameters.check(form, declared)
    return parameters.kept_values(form, declared)

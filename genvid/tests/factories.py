"""Functions that make rows for tests, through the services wherever a service makes them."""

import io
import wave
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.api_keys import api_keys
from accounts.auth import sign_in as sign_in_module
from accounts.auth.tokens import TokenPair, read_access_token
from accounts.caller import Caller
from accounts.enums import KEY_SCOPES, Role
from accounts.models import Account, ApiKey, Invitation, Membership, User, WebhookEndpoint
from accounts.teams import invitations
from accounts.webhooks import webhook_endpoints
from avatars.enums import UploadKind, UploadOrigin
from avatars.models import Avatar, Upload, Voice
from billing.credits import adjust
from billing.credits import grant as grant_lot
from billing.enums import CheckoutStatus, LotSource, PaymentKind
from billing.models import Checkout, Payment, Plan, PlanPrice, Wallet
from genvid.heygen.speech_wire import Spoken, SpokenWord
from genvid.tests.contract import check_described
from videos import settlement
from videos.enums import SpeechStatus, Status
from videos.lifecycle import video_actions
from videos.listening import speech_outcomes, speech_requests
from videos.listening.speech_requests import SpeechRequest
from videos.models import Speech, Video, seconds_from_now
from videos.video_request import NAMES, VideoRequest

PASSWORD = "correct horse battery staple"
SCRIPT = "Hello and welcome to our spring sale."
_numbers = count(1)


class JsonClient(APIClient):
    """A client that sends JSON, and the access token if it has one."""

    default_format = "json"

    def __init__(self, token: str = "", **options: Any) -> None:
        super().__init__(**options)
        if token:
            self.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def request(self, **environ: Any) -> Any:
        """Checks every answer in any test against the OpenAPI document."""
        response = super().request(**environ)
        check_described(response)
        return response


@dataclass(frozen=True)
class Person:
    """A signed-in user of an account, with a client that sends the access token."""

    user: User
    account: Account
    role: str
    tokens: TokenPair
    client: JsonClient
    password: str = PASSWORD

    @property
    def caller(self) -> Caller:
        """The `Caller` that views get for this person."""
        return read_access_token(self.tokens.access_token)

    @property
    def wallet(self) -> Wallet:
        return Wallet.objects.get(pk=self.account.pk)


def make_caller(*, email: str = "", balance: int | None = None, verified: bool = False, **registration: str) -> Person:
    """Register a user. `balance`: credits of the wallet, by default the welcome credits."""
    email = email or f"person{next(_numbers)}@example.com"
    signed_in = sign_in_module.register(email=email, password=PASSWORD, **registration)
    person = _person(signed_in)
    if verified:
        User.objects.filter(pk=person.user.pk).update(email_verified_at=timezone.now())
        person.user.refresh_from_db()
    if balance is not None:
        set_balance(person, balance)
    return person


def make_teammate(of: Person, role: Role = Role.MEMBER) -> Person:
    """Another user of the account, added without an invitation and without an entry in the audit log."""
    user = User.objects.create_user(f"teammate{next(_numbers)}@example.com", PASSWORD)
    Membership.objects.create(user=user, account=of.account, role=role)
    return sign_in(user.email)


def make_invitation(by: Person, *, email: str = "", role: str = Role.MEMBER) -> Invitation:
    return invitations.create_invitation(by.caller, email=email or f"invited{next(_numbers)}@example.com", role=role)


@dataclass(frozen=True)
class Program:
    """An API key with a client that sends it."""

    key: ApiKey
    text: str
    client: JsonClient


def make_key(of: Person, *scopes: str, **limits: Any) -> Program:
    """An API key made by `of`, with all scopes that a key can have unless some are named."""
    given = {"name": "Automation", "scopes": list(scopes) or [scope.value for scope in KEY_SCOPES]}
    key, text = api_keys.create_api_key(of.caller, **given | limits)
    client = JsonClient()
    client.credentials(HTTP_X_API_KEY=text)
    return Program(key, text, client)


def make_endpoint(of: Person, *events: str, url: str = "https://hooks.example.com/genvid", **fields: Any) -> Any:
    """A webhook endpoint for every event unless some are named. `fields` of the row are set last."""
    endpoint = webhook_endpoints.create_endpoint(of.caller, url=url, events=list(events) or ["*"])
    if fields:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
        endpoint.refresh_from_db()
    return endpoint


def sign_in(email: str) -> Person:
    """A new session of an existing user."""
    return _person(sign_in_module.login(email=email, password=PASSWORD))


def _person(signed_in: sign_in_module.SignedIn) -> Person:
    membership, tokens = signed_in.membership, signed_in.tokens
    client = JsonClient(tokens.access_token)
    return Person(signed_in.user, membership.account, membership.role, tokens, client)


def grant(person: Person, amount: int, **fields: Any) -> bool:
    """Grant credits of a pack."""
    given = {"source": LotSource.PACK, "reference": f"pack:{next(_numbers)}"} | fields
    return grant_lot(person.account.pk, amount, **given)


def set_balance(person: Person, balance: int) -> None:
    """Set the balance by an adjustment in the ledger."""
    difference = balance - person.wallet.balance
    reference = f"test:{next(_numbers)}"
    adjust(person.account.pk, difference, reference=reference, description="For a test")


def make_price(code: str = "pack-100") -> PlanPrice:
    """The price of a seeded plan, as if pushed to Stripe."""
    plan = Plan.objects.get(code=code)
    terms = {"amount": plan.amount, "currency": plan.currency, "interval": plan.interval, "credits": plan.credits}
    made = {"stripe_price_id": f"price_{next(_numbers)}", **terms}
    return PlanPrice.objects.get_or_create(plan=plan, is_current=True, defaults=made)[0]


def make_payment(of: Person, code: str = "pack-100", **fields: Any) -> Payment:
    """A payment whose credits are not granted."""
    number, price = next(_numbers), make_price(code)
    made = {
        "account": of.account,
        "kind": PaymentKind.PACK,
        "source_id": f"cs_{number}",
        "stripe_payment_intent_id": f"pi_{number}",
        "stripe_charge_id": f"ch_{number}",
        "price": price,
        "description": price.plan.name,
        "amount": price.amount,
        "currency": price.currency,
        "paid_at": timezone.now(),
    }
    return Payment.objects.create(**made | fields)


def make_checkout(of: Person, code: str = "pack-100", **fields: Any) -> Checkout:
    """A completed checkout."""
    made = {"account": of.account, "user": of.user, "price": make_price(code), "status": CheckoutStatus.COMPLETE}
    return Checkout.objects.create(**made | {"stripe_session_id": f"cs_{next(_numbers)}"} | fields)


def make_voice(**fields: Any) -> Voice:
    number = next(_numbers)
    given = {
        "provider_id": f"voice_{number}",
        "name": f"Voice {number}",
        "language": "English",
        "gender": "female",
        "is_private": False,
    }
    return Voice.objects.create(**given | fields)


def make_avatar(**fields: Any) -> Avatar:
    """An avatar with a voice of its own unless `default_voice` says otherwise."""
    number = next(_numbers)
    given = {
        "provider_id": f"look_{number}",
        "name": f"Look {number}",
        "kind": "studio_avatar",
        "gender": "female",
    }
    given |= {"engines": ["avatar_iv", "avatar_iii"], "orientation": "landscape", "tags": []}
    given |= {"is_private": False}
    if "default_voice" not in fields:
        given["default_voice"] = make_voice()
    return Avatar.objects.create(**given | fields)


def make_upload(owner: Person, kind: str = "image", *, content: bytes = b"a file", **fields: Any) -> Upload:
    """A ready upload. `content` is not looked at: `avatars.uploads.intake` is what checks files."""
    number = next(_numbers)
    shape: dict[str, Any] = {
        "image": {"width": 320, "height": 200, "content_type": "image/png"},
        "audio": {"duration_seconds": Decimal("2.500"), "content_type": "audio/wav"},
        "video": {"duration_seconds": Decimal("20.000"), "content_type": "video/mp4"},
    }[kind]
    given = {"account": owner.account, "created_by": owner.user, "kind": kind, "bytes": len(content)}
    given |= {"filename": f"file {number}", "expires_at": seconds_from_now(7 * 86_400)}
    upload = Upload(**given | shape | fields)
    if not fields.get("file"):
        upload.file = default_storage.save(f"uploads/{upload.account_id}/{upload.pk}", ContentFile(content))
    upload.save(force_insert=True)
    return upload


PATHS: dict[str, list[Status]] = {
    Status.DRAFT: [],
    Status.QUEUED: [],
    Status.SUBMITTING: [Status.SUBMITTING],
    Status.RENDERING: [Status.SUBMITTING, Status.RENDERING],
    Status.STORING: [Status.SUBMITTING, Status.RENDERING, Status.STORING],
    Status.COMPLETED: [Status.SUBMITTING, Status.RENDERING, Status.STORING],
    Status.FAILED: [],
    Status.CANCELED: [],
}


def make_request(**fields: Any) -> VideoRequest:
    """A request for `SCRIPT` with an avatar of its own unless `fields` say otherwise."""
    if "avatar_id" not in fields:
        fields["avatar_id"] = make_avatar().pk
    return VideoRequest(**{"script": SCRIPT} | fields)


def make_video(caller: Person, status: str = Status.QUEUED, **fields: Any) -> Video:
    """A video in `status`, reached by the real moves with their hold and settlement.

    `fields`: fields of a request, `avatar` or `voice`, or any other field of the row, set last.
    """
    retry_of = fields.pop("retry_of", None)
    for name in ("avatar", "voice"):
        if name in fields:
            fields[f"{name}_id"] = fields.pop(name).pk
    asked = {name: fields.pop(name) for name in [*fields] if name in NAMES}
    request = make_request(**asked)
    video = video_actions.create_video(caller.caller, request, draft=status == Status.DRAFT, retry_of=retry_of)
    lead(video, status, **{name: fields.pop(name) for name in ("duration", "error_code") if name in fields})
    if fields:
        Video.objects.filter(pk=video.pk).update(**fields)
    video.refresh_from_db()
    return video


def lead(video: Video, status: str, **end: Any) -> None:
    """Move a queued video to `status` as the pipeline does."""
    for step in PATHS[status]:
        assert video.move(step, reason="test", **_facts(video, step))
    _end(video, status, **end)


def _facts(video: Video, step: Status) -> dict[str, Any]:
    """The fields that the pipeline sets with a move to `step`."""
    if step == Status.SUBMITTING:
        key = f"{video.pk}.{video.attempt + 1}.test"
        notes = {"attempt": video.attempt + 1, "idempotency_key": key, "submitted_at": timezone.now()}
        return {**notes, "due_at": timezone.now(), "deadline_at": seconds_from_now(3600)}
    if step == Status.RENDERING:
        return {
            "provider_video_id": f"remote_{next(_numbers)}",
            "due_at": seconds_from_now(60),
            "deadline_at": seconds_from_now(3600),
        }
    return {"rendered_at": timezone.now(), "due_at": timezone.now(), "deadline_at": seconds_from_now(3600)}


def _end(video: Video, status: str, *, duration: Any = "2.500", error_code: str = "render_failed") -> None:
    if status == Status.CANCELED:
        video_actions.cancel_by_client(video)
    elif status == Status.FAILED:
        message = "The video could not be made. Nothing was charged."
        settlement.fail_video(video, code=error_code, message=message, retryable=True, reason="test")
    elif status == Status.COMPLETED:
        settlement.complete_video(video, duration=Decimal(str(duration)), **_files(video))


def _files(video: Video) -> dict[str, Any]:
    names = {"file": "video.mp4", "thumbnail": "thumbnail.jpg", "subtitles": "captions.srt"}
    folder = f"videos/{video.pk}"
    return {
        field: default_storage.save(f"{folder}/{name}", ContentFile(f"the {field}".encode()))
        for field, name in names.items()
    }


def make_speech(caller: Person, status: str = SpeechStatus.READY, *, is_test: bool = False, **fields: Any) -> Speech:
    """A speech of `SCRIPT`, ended as the worker ends it. `fields` of a request, then any other field of the row."""
    asked = {name: fields.pop(name) for name in ("script", "voice_id", "language", "speed") if name in fields}
    if "voice_id" not in asked:
        asked["voice_id"] = make_voice().pk
    request = SpeechRequest(**{"script": SCRIPT} | asked)
    speech = speech_requests.request_speech(replace(caller.caller, is_test=is_test), request)
    _end_speech(speech, status, seconds=fields.pop("seconds", "2.500"))
    if fields:
        Speech.objects.filter(pk=speech.pk).update(**fields)
    speech.refresh_from_db()
    return speech


def _end_speech(speech: Speech, status: str, *, seconds: str) -> None:
    speech.refresh_from_db()
    if status == SpeechStatus.FAILED:
        speech_outcomes.fail_speech(speech, code="script_refused", message="It cannot be spoken.", why="test")
    elif status == SpeechStatus.READY:
        spoken = Spoken("https://files.heygen.ai/1.wav", float(seconds), (SpokenWord("Hello", 0.1, 0.4),))
        assert speech_outcomes.complete_speech(speech, _audio_of(speech, seconds), spoken)


def _audio_of(speech: Speech, seconds: str) -> Upload:
    """As `avatars.uploads.intake` keeps it, without the process that reads it."""
    content, owner = tiny_wav(float(seconds)), {"account_id": speech.account_id, "is_test": speech.is_test}
    upload = Upload(**owner, origin=UploadOrigin.SPEECH, kind=UploadKind.AUDIO, content_type="audio/wav")
    upload.filename, upload.bytes, upload.duration_seconds = "speech.wav", len(content), Decimal(seconds)
    upload.file = default_storage.save(f"uploads/{speech.account_id}/{upload.pk}.wav", ContentFile(content))
    upload.expires_at = speech.expires_at
    upload.save()
    return upload


def tiny_wav(seconds: float) -> bytes:
    """Silence: 1,000 samples a second, of one byte."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(1000)
        sound.writeframes(bytes(round(seconds * 1000)))
    return file.getvalue()

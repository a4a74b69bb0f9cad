"""What each endpoint answers to whom: the table of the generated tests.

Written by hand, from docs/teams.md, and not from `accounts.permissions.ROLES`: it is there to disagree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import transaction

from accounts.auth.email_verification import verification_token
from accounts.teams.invitations import token_of
from billing.models import Plan
from genvid.tests.callers import Asker, World
from genvid.tests.factories import PASSWORD
from genvid.tests.router import Operation

ALL = frozenset({"owner", "admin", "member", "viewer"})
WRITERS = ALL - {"viewer"}
MANAGERS = frozenset({"owner", "admin"})
OWNER = frozenset({"owner"})
SHARED = {"avatar", "voice"}
"""What belongs to no account."""

CONSENT = {"is_me": True, "subject_name": "Ada", "confirmed": True}

Body = Callable[[World, Asker], dict[str, Any]]


@dataclass(frozen=True)
class Rule:
    """Who may, with which scope a key may too, and what they get."""

    roles: frozenset[str]
    key: str = ""
    code: int = 200
    of: str = ""
    """What of the world the path names."""
    body: Body | None = None
    foreign: int | None = None
    """What an owner of another account gets, where it is neither 404 for the path nor the same as at home."""
    personal: bool = False
    """Whether it is there for the owner alone, whatever roles others have."""

    def expected(self, asker: Asker) -> int:
        if not asker.is_known:
            return 401
        if asker.role not in self.roles or (asker.scopes is not None and self.key not in asker.scopes):
            return 403
        if self.personal and asker.name != "owner":
            return 404
        if not asker.is_foreign:
            return self.code
        return self.foreign or (404 if self.of and self.of not in SHARED else self.code)


@dataclass(frozen=True)
class Open:
    """For everybody, whatever credentials they send."""

    code: int
    body: Body | None = None
    of: str = ""
    reads_bearer: bool = False
    """Whether an access token that is no good is refused all the same."""

    def expected(self, asker: Asker) -> int:
        stale = asker.person is not None and not asker.is_known
        return 401 if self.reads_bearer and stale else self.code


def sending(**body: Any) -> Body:
    return lambda world, asker: body


def video(world: World, asker: Asker) -> dict[str, Any]:
    return {"script": "Hello.", "avatar_id": world.ids["avatar"]}


def speech(world: World, asker: Asker) -> dict[str, Any]:
    return {"script": "Hello.", "voice_id": world.ids["voice"]}


def batch(world: World, asker: Asker) -> dict[str, Any]:
    return {"script": "Hi {{name}}.", "avatar_id": world.ids["avatar"], "rows": [{"name": "Ada"}]}


def own_avatar(world: World, asker: Asker) -> dict[str, Any]:
    return {"kind": "photo_avatar", "name": "Ada", "upload_id": world.ids["draft"], "consent": CONSENT}


def own_voice(world: World, asker: Asker) -> dict[str, Any]:
    return own_avatar(world, asker) | {"kind": "clone", "language": "English"}


def top_up(world: World, asker: Asker) -> dict[str, Any]:
    pack = Plan.objects.get(code="pack-100")
    return {"enabled": True, "threshold": 50, "plan_id": str(pack.pk), "monthly_limit": 5000}


ENDPOINT = sending(url="https://93.184.216.34/hook", events=["*"])
KEY = sending(name="CI", scopes=["videos:read"])
PROOF = sending(password=PASSWORD)

TABLE: dict[str, Rule | Open] = {
    # Signing in
    "POST auth/register": Open(201, sending(email="ada@example.com", password=PASSWORD)),
    "POST auth/login": Open(200, sending(email="owner@example.com", password=PASSWORD)),
    "POST auth/refresh": Open(200, lambda world, _: {"refresh_token": world.owner.tokens.refresh_token}),
    "POST auth/logout": Open(204, lambda world, _: {"refresh_token": world.owner.tokens.refresh_token}),
    "POST auth/email/verify": Open(200, lambda world, _: {"token": verification_token(world.owner.user)}),
    "POST auth/password/forgot": Open(202, sending(email="owner@example.com")),
    "POST auth/password/reset": Open(401, sending(token="forged", new_password=PASSWORD)),
    "POST auth/invitations/accept": Open(
        200, lambda world, _: {"token": token_of(world.invitation), "password": PASSWORD}, reads_bearer=True
    ),
    "GET exports/{id}": Open(404, of="draft"),
    # One's own things: never for keys
    "POST auth/email/verification": Rule(ALL, code=202),
    "POST auth/password/change": Rule(ALL, body=sending(current_password=PASSWORD, new_password="another good one 77")),
    "GET auth/sessions": Rule(ALL),
    "DELETE auth/sessions": Rule(ALL, code=204),
    "DELETE auth/sessions/{id}": Rule(ALL, code=204, of="session", personal=True),
    "GET auth/totp": Rule(ALL),
    "POST auth/totp": Rule(ALL, code=201, body=PROOF),
    "DELETE auth/totp": Rule(ALL, code=409, body=sending(password=PASSWORD, code="000000")),
    "POST auth/totp/confirm": Rule(ALL, code=409, body=sending(code="000000")),
    "POST auth/switch": Rule(ALL, body=lambda world, asker: {"account_id": account_of(world, asker)}),
    "GET accounts": Rule(ALL),
    "GET profile": Rule(ALL),
    "PATCH profile": Rule(ALL, body=sending(full_name="Somebody")),
    "DELETE profile": Rule(ALL, code=202, body=PROOF),
    "GET profile/export": Rule(ALL, code=404),
    "POST profile/export": Rule(ALL, code=202),
    "POST team/leave": Rule(ALL, code=204, foreign=409),
    # The account and its people: never for keys
    "PATCH account": Rule(MANAGERS, body=sending(name="New name")),
    "GET team/members": Rule(ALL),
    "PATCH team/members/{id}": Rule(MANAGERS, of="member", body=sending(role="viewer")),
    "DELETE team/members/{id}": Rule(MANAGERS, code=204, of="member"),
    "POST team/transfer-ownership": Rule(
        OWNER, body=lambda world, _: {"user_id": world.ids["member"], "password": PASSWORD}, foreign=400
    ),
    "GET team/invitations": Rule(MANAGERS),
    "POST team/invitations": Rule(MANAGERS, code=201, body=sending(email="new@example.com", role="member")),
    "DELETE team/invitations/{id}": Rule(MANAGERS, code=204, of="invitation"),
    "POST team/invitations/{id}/resend": Rule(MANAGERS, code=202, of="invitation"),
    "GET api-keys": Rule(MANAGERS),
    "POST api-keys": Rule(MANAGERS, code=201, body=KEY),
    "DELETE api-keys/{id}": Rule(MANAGERS, code=204, of="key"),
    "GET audit-log": Rule(OWNER),
    # Webhooks
    "GET webhook-endpoints": Rule(ALL, "webhooks:read"),
    "POST webhook-endpoints": Rule(MANAGERS, "webhooks:write", 201, body=ENDPOINT),
    "GET webhook-endpoints/{id}": Rule(ALL, "webhooks:read", of="endpoint"),
    "PATCH webhook-endpoints/{id}": Rule(MANAGERS, "webhooks:write", of="endpoint", body=sending(description="Mine")),
    "DELETE webhook-endpoints/{id}": Rule(MANAGERS, "webhooks:write", 204, of="endpoint"),
    "POST webhook-endpoints/{id}/rotate-secret": Rule(MANAGERS, "webhooks:write", of="endpoint"),
    "POST webhook-endpoints/{id}/test": Rule(MANAGERS, "webhooks:write", 202, of="endpoint"),
    "GET webhook-endpoints/{id}/deliveries": Rule(ALL, "webhooks:read", of="endpoint"),
    "POST webhook-deliveries/{id}/retry": Rule(MANAGERS, "webhooks:write", 202, of="delivery"),
    # The catalogue
    "GET avatars": Rule(ALL, "catalogue:read"),
    "GET avatars/{id}": Rule(ALL, "catalogue:read", of="avatar"),
    "GET voices": Rule(ALL, "catalogue:read"),
    "GET voices/{id}": Rule(ALL, "catalogue:read", of="voice"),
    # Own faces and voices: of a file that is not there; and what nobody has made cannot be changed
    "POST avatars": Rule(WRITERS, "avatars:write", 400, body=own_avatar),
    "PATCH avatars/{id}": Rule(WRITERS, "avatars:write", 409, of="avatar", body=sending(name="Ada")),
    "DELETE avatars/{id}": Rule(WRITERS, "avatars:write", 409, of="avatar"),
    "POST avatars/{id}/consent": Rule(WRITERS, "avatars:write", 409, of="avatar"),
    "POST voices": Rule(WRITERS, "avatars:write", 400, body=own_voice),
    "PATCH voices/{id}": Rule(WRITERS, "avatars:write", 409, of="voice", body=sending(name="Ada")),
    "DELETE voices/{id}": Rule(WRITERS, "avatars:write", 409, of="voice"),
    # Money
    "GET billing/wallet": Rule(ALL, "billing:read"),
    "GET billing/ledger": Rule(ALL, "billing:read"),
    "GET billing/plans": Rule(ALL, "billing:read"),
    "GET billing/fees": Rule(ALL, "billing:read"),
    "POST billing/checkout": Rule(
        MANAGERS, "billing:write", 400, body=sending(plan_id="00000000-0000-4000-8000-000000000000")
    ),
    "GET billing/checkout/{id}": Rule(ALL, "billing:read", of="checkout"),
    # Nobody there has bought anything.
    "POST billing/portal": Rule(MANAGERS, "billing:write", 409),
    "GET billing/subscription": Rule(ALL, "billing:read"),
    "GET billing/invoices": Rule(ALL, "billing:read"),
    "GET billing/payments": Rule(ALL, "billing:read"),
    "GET billing/payments/{id}": Rule(ALL, "billing:read", of="payment"),
    "GET billing/auto-top-up": Rule(ALL, "billing:read"),
    "PUT billing/auto-top-up": Rule(MANAGERS, "billing:write", body=top_up),
    "GET usage": Rule(ALL, "billing:read"),
    # Videos
    "GET videos": Rule(ALL, "videos:read"),
    "POST videos": Rule(WRITERS, "videos:write", 201, body=video),
    "POST videos/quote": Rule(ALL, "videos:read", body=video),
    "GET videos/{id}": Rule(ALL, "videos:read", of="completed"),
    "PATCH videos/{id}": Rule(WRITERS, "videos:write", of="draft", body=sending(title="New")),
    "DELETE videos/{id}": Rule(WRITERS, "videos:write", 204, of="draft"),
    "POST videos/{id}/generate": Rule(WRITERS, "videos:write", of="draft"),
    "POST videos/{id}/cancel": Rule(WRITERS, "videos:write", of="queued"),
    "POST videos/{id}/retry": Rule(WRITERS, "videos:write", 201, of="failed"),
    "GET videos/{id}/events": Rule(ALL, "videos:read", of="completed"),
    "GET videos/{id}/file": Rule(ALL, "videos:read", 302, of="completed"),
    "GET videos/{id}/thumbnail": Rule(ALL, "videos:read", 302, of="completed"),
    "GET videos/{id}/captions": Rule(ALL, "videos:read", 302, of="completed"),
    # Files. This site has no bucket: JSON is refused, whoever may send files.
    "GET uploads": Rule(ALL, "videos:read"),
    "POST uploads": Rule(
        WRITERS, "uploads:write", 400, body=sending(filename="a.png", content_type="image/png", size_bytes=1000)
    ),
    "GET uploads/{id}": Rule(ALL, "videos:read", of="upload"),
    "DELETE uploads/{id}": Rule(WRITERS, "uploads:write", 204, of="upload"),
    "POST uploads/{id}/complete": Rule(WRITERS, "uploads:write", of="upload"),
    "GET uploads/{id}/file": Rule(ALL, "videos:read", 302, of="upload"),
    "POST speech": Rule(WRITERS, "videos:write", 202, body=speech, foreign=202),
    "GET speech/{id}": Rule(ALL, "videos:read", of="speech"),
    "GET batches": Rule(ALL, "videos:read"),
    "POST batches": Rule(WRITERS, "videos:write", 201, body=batch),
    "POST batches/quote": Rule(ALL, "videos:read", body=batch),
    "GET batches/{id}": Rule(ALL, "videos:read", of="batch"),
    "POST batches/{id}/cancel": Rule(WRITERS, "videos:write", of="batch"),
    "GET batches/{id}/results.csv": Rule(ALL, "videos:read", of="batch"),
}


def account_of(world: World, asker: Asker) -> str:
    return str((world.outsider if asker.is_foreign else world.owner).account.pk)


def answer_to(world: World, asker: Asker, operation: Operation) -> Any:
    rule = TABLE[str(operation)]
    if isinstance(rule, Open):
        # Limits count strangers by their address, and here all come from one.
        cache.clear()
    return asker.ask(operation, world.ids[rule.of], body_of(world, asker, operation))


def body_of(world: World, asker: Asker, operation: Operation) -> dict[str, Any] | None:
    """One that is accepted; None where the endpoint reads none."""
    payload = TABLE[str(operation)].body
    return payload(world, asker) if payload else None


def undone(world: World, asker: Asker, operation: Operation) -> Any:
    with transaction.atomic():
        answer = answer_to(world, asker, operation)
        transaction.set_rollback(True)
    return answer

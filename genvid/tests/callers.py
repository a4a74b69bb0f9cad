"""One account with one of everything, and everybody who might ask for it: the world of the generated tests."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from accounts.enums import KEY_SCOPES, Role
from accounts.models import ApiKey, Invitation, Membership
from accounts.teams import members
from accounts.webhooks import webhook_endpoints
from genvid.tests.factories import (
    JsonClient,
    Person,
    Program,
    make_avatar,
    make_caller,
    make_checkout,
    make_endpoint,
    make_invitation,
    make_key,
    make_payment,
    make_request,
    make_speech,
    make_teammate,
    make_video,
    sign_in,
)
from genvid.tests.router import Operation
from genvid.tests.uploads import make_upload
from videos.batches import batch_actions
from videos.batches.batch_input import Table


@dataclass(frozen=True)
class Asker:
    """Somebody who asks. What they may is not written here: the test's table says it."""

    name: str
    client: JsonClient
    role: str = ""
    scopes: frozenset[str] | None = None
    """Of an API key; None for people."""
    is_known: bool = True
    """Whether the credentials are still good."""
    is_foreign: bool = False
    """From another account."""
    person: Person | None = None

    def ask(self, operation: Operation, the_id: str, body: Any = None, *, query: str = "") -> Any:
        send = getattr(self.client, operation.method.lower())
        path = operation.path(the_id) + query
        return send(path) if body is None else send(path, body)


@dataclass
class World:
    owner: Person
    outsider: Person
    ids: dict[str, str] = field(default_factory=dict)
    """Of what the owner's account has, by what it is."""
    invitation: Invitation | None = None

    @cached_property
    def askers(self) -> dict[str, Asker]:
        found = [*self._people(), *self._strangers(), *self._keys(), *self._dead_keys()]
        return {asker.name: asker for asker in found}

    def _people(self) -> list[Asker]:
        team = [self.owner, *(make_teammate(self.owner, role) for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER))]
        foreign = Asker("outsider", self.outsider.client, Role.OWNER, is_foreign=True, person=self.outsider)
        return [*(Asker(str(each.role), each.client, each.role, person=each) for each in team), foreign]

    def _strangers(self) -> list[Asker]:
        removed = make_teammate(self.owner)
        members.remove_member(self.owner.caller, removed.user.pk)
        deactivated = make_teammate(self.owner)
        type(deactivated.user).objects.filter(pk=deactivated.user.pk).update(is_active=False)
        return [
            Asker("anonymous", JsonClient(), is_known=False),
            Asker("removed member", removed.client, is_known=False, person=removed),
            Asker("deactivated member", deactivated.client, is_known=False, person=deactivated),
        ]

    def _keys(self) -> list[Asker]:
        single = [_key(f"key with {scope.value}", make_key(self.owner, scope.value)) for scope in KEY_SCOPES]
        fallen = make_teammate(self.owner, Role.ADMIN)
        program = make_key(fallen)
        Membership.objects.filter(user=fallen.user).update(role=Role.VIEWER)
        return [
            *single,
            _key("key with all", make_key(self.owner)),
            _key("key of an admin who is viewer now", program, role=Role.VIEWER),
            _key("key of the outsider", make_key(self.outsider), is_foreign=True),
        ]

    def _dead_keys(self) -> list[Asker]:
        revoked, expired = make_key(self.owner), make_key(self.owner)
        ApiKey.objects.filter(pk=revoked.key.pk).update(revoked_at=timezone.now())
        ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=timezone.now())
        gone = make_teammate(self.owner, Role.ADMIN)
        program = make_key(gone)
        Membership.objects.filter(user=gone.user).delete()
        return [
            _key("revoked key", revoked, is_known=False),
            _key("expired key", expired, is_known=False),
            _key("key of somebody gone", program, is_known=False),
        ]


def _key(name: str, program: Program, *, role: str = Role.OWNER, **what: bool) -> Asker:
    return Asker(name, program.client, role, frozenset(program.key.scopes), **what)


def make_world() -> World:
    """In one transaction that the caller rolls back."""
    owner, outsider = make_caller(email="owner@example.com", balance=1000, company_name="Olive Films"), make_caller()
    world = World(owner, outsider)
    # A second one, so that the first may leave.
    make_teammate(owner, Role.OWNER)
    avatar = make_avatar()
    world.invitation = make_invitation(owner)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    endpoint = make_endpoint(owner, url="https://93.184.216.34/hook")
    table = Table(["name"], [{"name": "Ada"}], [])
    batch = batch_actions.create_batch(owner.caller, make_request(script="Hi {{name}}", avatar_id=avatar.pk), table)
    rows: dict[str, Any] = {
        "avatar": avatar,
        "voice": avatar.default_voice,
        "batch": batch,
        "endpoint": endpoint,
        "delivery": webhook_endpoints.send_ping(endpoint, {}),
        "key": make_key(owner).key,
        "invitation": world.invitation,
        "member": make_teammate(owner).user,
    }
    rows["speech"] = make_speech(owner)
    rows["upload"] = make_upload(owner)
    rows["payment"] = make_payment(owner)
    rows |= {status: make_video(owner, status, avatar=avatar) for status in ("draft", "queued", "completed", "failed")}
    world.ids = {name: str(row.pk) for name, row in rows.items()} | {"": ""}
    world.ids["checkout"] = make_checkout(owner).stripe_session_id
    world.ids["session"] = str(sign_in(owner.user.email).caller.session_id)
    assert world.askers
    return world

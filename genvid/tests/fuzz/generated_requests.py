"""Generated API requests: their number, the checks of each answer, and the rows that they refer to.

`make check` sends the same few requests each time; `make fuzz` sets FUZZ_EXAMPLES and draws new ones.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import hypothesis
import schemathesis
from hypothesis import HealthCheck
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from avatars.enums import CreationKind
from avatars.tests.own_entries import make_upload, order
from billing.models import Plan
from genvid.tests.contract import document, resolved
from genvid.tests.factories import (
    Person,
    grant,
    make_avatar,
    make_key,
    make_payment,
    make_speech,
    make_teammate,
    make_video,
)
from genvid.tests.properties import FUZZ_EXAMPLES
from genvid.tests.uploads import make_upload as make_kept_upload
from genvid.wsgi import application

# Requests of each operation; 0: the few of `make check`, always the same.
EXAMPLES, FLOWS, STEPS = (FUZZ_EXAMPLES, FUZZ_EXAMPLES, 20) if FUZZ_EXAMPLES else (12, 25, 10)

settings = partial(
    hypothesis.settings,
    derandomize=not FUZZ_EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
config = schemathesis.Config.from_dict(
    {
        "generation": {"deterministic": not FUZZ_EXAMPLES, "database": "none", "with-security-parameters": False},
        "phases": {"coverage": {"enabled": bool(FUZZ_EXAMPLES)}},
    }
)
# A copy: schemathesis writes the links that it finds into its own.
api = schemathesis.openapi.from_dict(deepcopy(document()), config=config)
api.app = application


def documented_code(_: CheckContext, response: Response, case: schemathesis.Case) -> None:
    """Each error code is documented for its operation and status."""
    described = case.operation.definition.raw["responses"].get(str(response.status_code))
    if response.status_code >= 400 and described:
        assert response.json()["error"]["code"] in resolved(described)["x-codes"]


def refusal_of_what_is_wrong(ctx: CheckContext, response: Response, case: schemathesis.Case) -> bool | None:
    """Schemathesis' check of invalid input, with two exceptions. Its transport leaves empty texts out of forms.

    The API strips blanks before it measures a text, so one that is a blank too long is valid.
    """
    is_form = case.media_type == "multipart/form-data"
    return None if is_form or _has_blanks_around(case.body) else negative_data_rejection(ctx, response, case)


def _has_blanks_around(body: Any) -> bool:
    if isinstance(body, dict):
        body = [*body.values()]
    if isinstance(body, list):
        return any(map(_has_blanks_around, body))
    return isinstance(body, str) and body != body.strip()


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    refusal_of_what_is_wrong,
    documented_code,
]

VOICE_CLONE = CreationKind.VOICE_CLONE
AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class KnownRows:
    """Rows whose ids replace half of the generated ids."""

    owner: Person
    ids: dict[str, list[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """Ids in earlier answers: a sequence uses them unchanged, so that it is reproducible."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.owner.tokens.access_token}"}

    def put_known_ids(self, case: schemathesis.Case) -> None:
        app = case.path.split("/{")[0].removeprefix("/api/v1/")
        for name, generated in (case.path_parameters or {}).items():
            case.path_parameters[name] = self.one_of(app, generated)
        if isinstance(case.body, dict):
            for name in case.body.keys() & self.ids.keys():
                case.body[name] = self.one_of(name, case.body[name])

    def one_of(self, app: str, generated: Any) -> Any:
        """Replaces every other generated id, which exists nowhere, by a known one. Values that are no ids stay."""
        ids = self.ids.get(app, [])
        try:
            number = UUID(str(generated)).int
        except ValueError:
            return generated
        if str(generated) in self.seen or number % 2 or not ids:
            return generated
        return ids[number // 2 % len(ids)]

    def remember_ids(self, text: str) -> None:
        self.seen.update(AN_ID.findall(text))


def make_known_rows(owner: Person) -> KnownRows:
    avatar, member = make_avatar(), make_teammate(owner)
    videos = [make_video(owner, status, avatar=avatar) for status in ("draft", "queued", "completed", "failed")]
    post: Callable[..., str] = partial(_made, owner)
    grant(owner, 1_000)
    own_avatar, own_voice = (order(owner, kind, stored=False) for kind in (CreationKind.PHOTO_AVATAR, VOICE_CLONE))
    picture = make_upload(owner, stored=False)
    endpoint = post("webhook-endpoints", {"url": "https://93.184.216.34/", "events": ["*"]})
    payload = {"script": "Hi {{name}}", "avatar_id": str(avatar.pk), "rows": [{"name": "Ada"}]}
    ids = {
        "videos": [str(video.pk) for video in videos],
        "batches": [post("batches", payload)],
        "avatars": [str(avatar.pk), str(own_avatar.entry_id)],
        "voices": [str(avatar.default_voice_id), str(own_voice.entry_id)],
        "upload_id": [str(picture.pk)],
        "uploads": [str(make_kept_upload(owner).pk)],
        "api-keys": [str(make_key(owner).key.pk)],
        "webhook-endpoints": [endpoint],
        "webhook-deliveries": [post(f"webhook-endpoints/{endpoint}/test", {})],
        "team/members": [str(member.user.pk), str(owner.user.pk)],
        "team/invitations": [post("team/invitations", {"email": "new@example.com", "role": "member"})],
    }
    ids["speech"] = [str(make_speech(owner, voice_id=avatar.default_voice_id).pk)]
    ids["billing/plans"] = [str(pk) for pk in Plan.objects.values_list("pk", flat=True)]
    ids["billing/payments"] = [str(make_payment(owner).pk)]
    named = {"plan_id": "billing/plans", "avatar_id": "avatars", "voice_id": "voices", "user_id": "team/members"}
    return KnownRows(owner, ids | {name: ids[app] for name, app in named.items()})


def _made(owner: Person, path: str, body: Any) -> str:
    response = owner.client.post(f"/api/v1/{path}", body)
    assert response.status_code in (201, 202), response.content
    return str(response.json()["data"]["id"])

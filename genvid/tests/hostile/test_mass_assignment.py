"""Fields that clients may not set are refused by name on every endpoint."""

from dataclasses import dataclass

import pytest

from genvid.tests.asserts import nothing_changes, wrong_fields_of
from genvid.tests.factories import PASSWORD, make_endpoint, make_video
from videos.enums import Status

pytestmark = pytest.mark.django_db

PEOPLE = {"id", "is_staff", "is_superuser", "is_active", "role", "email_verified", "email_verified_at", "account_id"}
VIDEOS = {"id", "account", "account_id", "status", "credits", "credits_held", "credits_charged", "is_test", "file"}
VIDEOS |= {"file_url", "provider_video_id", "expires_at", "created_at", "retry_of", "progress_percent", "api_key_id"}
KEYS = {"id", "account_id", "created_by", "prefix", "digest", "credits_used", "last_used_at", "revoked_at"}
ENDPOINTS = {"id", "account_id", "secret", "old_secret", "health", "failures", "disabled_reason", "deleted_at"}
SMUGGLED = {
    "register": PEOPLE,
    "profile": PEOPLE | {"email", "password", "last_login_at", "account"},
    "video": VIDEOS,
    "quote": VIDEOS,
    "draft": VIDEOS,
    "batch": VIDEOS,
    "key": KEYS,
    "endpoint": ENDPOINTS,
    "endpoint's change": ENDPOINTS,
    "invitation": {"id", "account_id", "invited_by", "expires_at", "token"},
}


@dataclass(frozen=True)
class Form:
    """A request that is otherwise valid."""

    method: str
    path: str
    body: dict[str, object]


@pytest.fixture
def forms(owner, avatar) -> dict[str, Form]:
    draft, endpoint = make_video(owner, Status.DRAFT), make_endpoint(owner)
    film = {"script": "Hello.", "avatar_id": str(avatar.pk)}
    key = {"name": "CI", "scopes": ["videos:read"]}
    hook = {"url": "https://93.184.216.34/hook", "events": ["*"]}
    newcomer = {"email": "new@example.com", "password": PASSWORD}
    return {
        "register": Form("post", "/api/v1/auth/register", newcomer),
        "profile": Form("patch", "/api/v1/profile", {"full_name": "Me"}),
        "video": Form("post", "/api/v1/videos", film),
        "quote": Form("post", "/api/v1/videos/quote", film),
        "draft": Form("patch", f"/api/v1/videos/{draft.pk}", {"title": "Mine"}),
        "batch": Form("post", "/api/v1/batches", film | {"script": "Hi {{name}}.", "rows": [{"name": "Ada"}]}),
        "key": Form("post", "/api/v1/api-keys", key),
        "endpoint": Form("post", "/api/v1/webhook-endpoints", hook),
        "endpoint's change": Form("patch", f"/api/v1/webhook-endpoints/{endpoint.pk}", {"description": "Mine"}),
        "invitation": Form("post", "/api/v1/team/invitations", {"email": "new@example.com", "role": "viewer"}),
    }


@pytest.mark.parametrize("name", SMUGGLED)
def test_fields_that_clients_may_not_set_are_refused_by_name(owner, forms, name):
    form = forms[name]
    with nothing_changes():
        answer = getattr(owner.client, form.method)(form.path, form.body | dict.fromkeys(SMUGGLED[name], "1"))
        assert wrong_fields_of(answer) == sorted(SMUGGLED[name])

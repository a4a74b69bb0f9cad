"""Runs the snippets of docs/webhooks.md against real messages."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from standardwebhooks import WebhookVerificationError

from accounts.enums import EventType
from accounts.webhooks.outgoing_delivery import DELAYS
from accounts.webhooks.signing import new_secret, signature_headers
from genvid.sandbox.tests.receiver import Receiver

PAGE = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
BODY = '{"id":"evt_1","type":"video.completed","created_at":"2026-05-01T12:00:00Z","data":{"title":"Grüße"}}'
OLD, NEW, OTHER = new_secret(), new_secret(), new_secret()
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not on this machine")
needs_shell_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "curl", "openssl", "od"))), reason="curl or openssl is not on this machine"
)


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def message(*secrets: str, age: int = 0) -> dict[str, str]:
    """Headers of `BODY`, signed a number of seconds ago."""
    signed_at = datetime.fromtimestamp(datetime.now(UTC).timestamp() - age, UTC)
    return signature_headers("evt_1", BODY, secrets, signed_at)


WRONG = [(OTHER, {}, BODY), (NEW, {"age": 3600}, BODY), (NEW, {}, BODY.replace("completed", "failed"))]


# ── Python


@pytest.fixture(scope="module")
def python():
    (code,) = snippets("python")
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - our own page
    return names["receive"]


@pytest.mark.parametrize("secret", [OLD, NEW], ids=["old", "new"])
def test_python_snippet_accepts_our_messages(python, secret):
    assert python(secret, message(NEW, OLD), BODY.encode()) == json.loads(BODY)


@pytest.mark.parametrize(("secret", "options", "body"), WRONG, ids=["anothers", "too old", "changed"])
def test_python_snippet_refuses_other_messages(python, secret, options, body):
    with pytest.raises(WebhookVerificationError):
        python(secret, message(NEW, OLD, **options), body.encode())


# ── Node


def node(secret: str, headers: dict[str, str], body: str) -> subprocess.CompletedProcess[str]:
    (code,) = snippets("javascript")
    code += f"\nconsole.log(JSON.stringify(receive({json.dumps(secret)}, {json.dumps(headers)}, {json.dumps(body)})))"
    return subprocess.run(["node", "-e", code], capture_output=True, text=True, timeout=900, check=False)


@needs_node
@pytest.mark.parametrize("secret", [OLD, NEW], ids=["old", "new"])
def test_node_snippet_accepts_our_messages(secret):
    done = node(secret, message(NEW, OLD), BODY)
    assert json.loads(done.stdout) == json.loads(BODY), done.stderr


@needs_node
@pytest.mark.parametrize(("secret", "options", "body"), WRONG, ids=["anothers", "too old", "changed"])
def test_node_snippet_refuses_other_messages(secret, options, body):
    done = node(secret, message(NEW, OLD, **options), body)
    assert (done.returncode, done.stdout) == (1, "")


# ── Shell


def shell(script: str, folder: Path, **environment: str) -> str:
    (folder / "body.json").write_text(BODY)
    given = {"PATH": "/usr/local/bin:/usr/bin:/bin", **environment}
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=folder, env=given, capture_output=True, text=True, timeout=900, check=True
    )
    return done.stdout


@needs_shell_tools
def test_shell_snippet_computes_the_signature(tmp_path):
    headers, (_, verify, _) = message(NEW), snippets("sh")
    names = {"SECRET": NEW, "ID": headers["webhook-id"], "TIMESTAMP": headers["webhook-timestamp"]}
    assert shell(verify, tmp_path, **names).strip() == headers["webhook-signature"]


@needs_shell_tools
def test_curl_snippet_sends_what_the_python_snippet_accepts(tmp_path, python):
    with Receiver() as receiver:
        shell(snippets("sh")[2], tmp_path, SECRET=NEW, URL=receiver.url)
        (post,) = receiver.posts
    assert python(NEW, post.headers, post.body) == json.loads(BODY)


# ── Statements of the page


def test_webhook_page_names_every_event():
    assert set(re.findall(r"`((?:video|batch|avatar|voice|credits|payment)\.[a-z]+|ping)`", PAGE)) == set(
        EventType.values
    )


def test_webhook_page_states_the_number_of_attempts():
    assert f"{len(DELAYS) + 1} attempts in three days" in PAGE

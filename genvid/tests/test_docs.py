"""The pages are correct: links exist, codes are ours, and snippets run."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from genvid.api.schema.refusals import catalogue

DOCS = Path(settings.BASE_DIR) / "docs"
GUIDES = DOCS / "guides"
SANDBOX = DOCS.parent / "genvid" / "sandbox" / "README.md"
PAGES = sorted([*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md"), SANDBOX])
needs_shell_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "curl", "jq"))), reason="curl or jq is not on this machine"
)


def links_of(page: Path) -> set[Path]:
    """What a page links to in this repository."""
    found = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    return {(page.parent / link).resolve() for link in found if "://" not in link and not link.startswith("mailto:")}


def snippets(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (GUIDES / page).read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(DOCS.parent)) for page in PAGES])
def test_every_link_leads_to_a_file(page):
    assert [link for link in sorted(links_of(page)) if not link.exists()] == []


def test_the_index_leads_to_every_page():
    """Decisions are found from the first of them."""
    pages = {page for page in PAGES if page.parent in (DOCS, GUIDES)} - {DOCS / "README.md"}
    assert pages - links_of(DOCS / "README.md") == set()


def test_the_page_of_errors_has_every_code_with_its_status_and_no_other():
    told = re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", (DOCS / "errors.md").read_text(), flags=re.MULTILINE)
    assert sorted(told) == sorted((code, str(kind.status)) for code, kind in catalogue().items())


@needs_shell_tools
@pytest.mark.embedded
@pytest.mark.slow
def test_the_shell_snippets_of_the_guides_run_one_after_the_other(embedded_site: Any, tmp_path: Path) -> None:
    guides = ("quickstart.md", "idempotency.md", "lists.md", "pictures-and-recordings.md")
    lines = [line for guide in guides for line in snippets(guide, "sh")]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "API": f"{embedded_site.url}/api/v1"}
    done = subprocess.run(
        ["sh", "-eu", "-c", "\n".join(lines)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    quote, status, refusal, replayed, avatars, estimate, price, talking = done.stdout.splitlines()
    assert (quote.startswith('{"credits":'), status) == (True, "completed")
    assert '"scirpt":"Unknown field."' in refusal
    assert (replayed, avatars[-8:]) == ("idempotent-replayed: true", " avatars")
    assert (estimate.startswith('{"credits":'), price.startswith('{"credits":')) == (True, True)
    assert talking == '{"kind":"picture","script":null}'
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"


class OneReply:
    """A site that fails once, then gives the second attempt its answer."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def __call__(self, url: str, **given: Any) -> Any:
        self.keys.append(given["headers"]["Idempotency-Key"])
        if len(self.keys) == 1:
            raise requests.ConnectionError
        reply = requests.Response()
        reply.status_code, reply._content = 201, b'{"data": {"id": "one"}}'
        return reply


def test_the_python_loop_repeats_with_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {}
    exec(snippets("idempotency.md", "python")[0], names)  # noqa: S102 - our own page
    post = OneReply()
    monkeypatch.setattr("requests.post", post)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert names["order"]("https://genvid.example.com/api/v1", "t", "k", {}) == {"id": "one"}
    assert post.keys == ["k", "k"]

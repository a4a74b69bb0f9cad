"""A page on another origin uses the real `make run` from a real browser, with the functions of the guide."""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from playwright.sync_api import Error as BrowserError

from genvid.tests.browser import Browser, chromium
from genvid.tests.factories import PASSWORD
from genvid.tests.site import EmbeddedSite

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]

GUIDE = Path(settings.BASE_DIR) / "docs" / "guides" / "browsers.md"
STRANGE_HOST = "pages.example"
RATES = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]


def page_for(site: EmbeddedSite) -> bytes:
    """A page with a player and the functions of the guide."""
    snippets = re.findall(r"```js\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    script = "\n".join(snippets).replace("https://genvid.example.com", site.url)
    icon = '<link rel="icon" href="data:,">'
    return f"<!doctype html>{icon}<video id=player muted controls></video><script>{script}</script>".encode()


class PageHandler(BaseHTTPRequestHandler):
    def __init__(self, page: bytes, *args: Any) -> None:
        self.page = page
        super().__init__(*args)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSite]:
    with EmbeddedSite.prepared(tmp_path_factory.mktemp("pages") / "var") as running:
        yield running.start()


@pytest.fixture(scope="module")
def page_port(site: EmbeddedSite) -> Iterator[int]:
    """The page's address on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(PageHandler, page_for(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser(f"--host-resolver-rules=MAP {STRANGE_HOST} 127.0.0.1") as window:
        yield window


@pytest.fixture
def email(tmp_path: Path) -> str:
    return f"{tmp_path.name}@example.com"


@pytest.fixture
def visitor(browser: Browser, page_port: int, email: str) -> Browser:
    """A person who has registered on the page."""
    browser.page.goto(f"http://127.0.0.1:{page_port}/")
    browser.page.evaluate("([email, password]) => register(email, password)", [email, PASSWORD])
    return browser


def test_a_page_reads_the_headers_of_an_answer(visitor, email):
    script = """async (names) => {
        const answer = await call("GET", "/profile", { "X-Request-Id": "from-a-page" });
        return [(await answer.json()).data.email, ...names.map((name) => answer.headers.get(name))];
    }"""
    shown, request_id, etag, *rates = visitor.page.evaluate(script, ["X-Request-Id", "ETag", *RATES])
    assert (shown, request_id, etag, [rate.isdigit() for rate in rates]) == (email, "from-a-page", None, [True] * 3)


def test_a_page_reads_why_it_was_refused(visitor):
    script = """async ([method, path]) => {
        const refusal = await call(method, path, { "X-Request-Id": "refused" }).catch((error) => error);
        return [refusal.status, refusal.code, refusal.requestId];
    }"""
    asked = [("GET", "/nope"), ("DELETE", "/videos"), ("POST", "/videos")]
    assert [visitor.page.evaluate(script, each) for each in asked] == [
        [404, "not_found", "refused"],
        [405, "method_not_allowed", "refused"],
        [400, "validation_error", "refused"],
    ]


def test_a_page_reads_how_to_sign_in_when_it_has_not(visitor):
    script = """async () => {
        const answer = await fetch(API + "/videos");
        return [answer.status, answer.headers.get("WWW-Authenticate")];
    }"""
    assert visitor.page.evaluate(script) == [401, 'Bearer realm="api"']


def test_a_page_that_names_the_copy_it_has_sees_304_and_else_the_browsers_copy(visitor):
    script = """async () => {
        const first = await call("GET", "/avatars"), etag = first.headers.get("ETag");
        const named = await call("GET", "/avatars", { "If-None-Match": etag });
        const again = await call("GET", "/avatars");
        const same = (await first.text()).length === (await again.text()).length;
        return [first.status, named.status, named.headers.get("ETag") === etag, again.status, same];
    }"""
    assert visitor.page.evaluate(script) == [200, 304, True, 200, True]


ORDER = """async (script) => {
    const avatar = (await (await call("GET", "/avatars?limit=1")).json()).data[0];
    const payload = { script, avatar_id: avatar.id, resolution: "720p" };
    const video = await order(payload, "from-a-page");
    const again = await call("POST", "/videos", { body: payload, "Idempotency-Key": "from-a-page" });
    const replayed = (await again.json()).data;
    const told = [];
    const hear = (kind, data) => kind === "status" && told.push(data.to_status);
    const [done] = await Promise.all([finished(video), listen(video, hear)]);
    return { video, done, told, replayed, header: again.headers.get("Idempotent-Replayed") };
}"""
PLAY = """async (video) => {
    const player = document.getElementById("player");
    await show(video, player);
    const seen = new Promise((frame) => player.requestVideoFrameCallback(frame));
    await Promise.all([player.play(), seen]);
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.drawImage(player, 0, 0, 9, 9);
    const track = player.querySelector("track");
    if (track.readyState < 2) await new Promise((loaded) => track.addEventListener("load", loaded));
    return {
        duration: player.duration,
        pixels: canvas.getImageData(0, 0, 9, 9).data.length,
        words: [...track.track.cues].map((cue) => cue.text).join(" "),
    };
}"""
LINK_BY_ANOTHER_NAME = """async (address) => {
    const link = await linkTo(address.replace("127.0.0.1", "localhost"));
    return [new URL(link).hostname, new URL(link).pathname.split("/")[1]];
}"""


def test_a_page_orders_a_video_follows_it_and_plays_it_with_its_captions(visitor):
    ordered = visitor.page.evaluate(ORDER, "Hello from another origin.")
    done = ordered["done"]
    assert (ordered["video"]["status"], done["status"], ordered["told"][-1]) == ("queued", "completed", "completed")
    assert (ordered["replayed"]["id"], ordered["header"]) == (ordered["video"]["id"], "true")

    played = visitor.page.evaluate(PLAY, done)
    assert played["duration"] == pytest.approx(done["duration_seconds"], abs=0.2)
    assert (played["pixels"], played["words"]) == (9 * 9 * 4, "Hello from another origin.")

    # The browser follows the redirect from localhost to 127.0.0.1, and calls its origin `null`.
    assert visitor.page.evaluate(LINK_BY_ANOTHER_NAME, done["file_url"]) == ["127.0.0.1", "media"]
    assert visitor.complaints == []


def test_a_page_of_an_origin_that_is_not_allowed_can_do_nothing(browser, site, page_port, email):
    browser.page.goto(f"http://{STRANGE_HOST}:{page_port}/")
    with pytest.raises(BrowserError, match="Failed to fetch"):
        browser.page.evaluate("([email, password]) => register(email, password)", [email, PASSWORD])
    with pytest.raises(BrowserError, match="Failed to fetch"):
        browser.page.evaluate("""fetch(API + "/avatars")""")

    blocked = [text for text in browser.complaints if "has been blocked by CORS policy" in text]
    assert [f"from origin 'http://{STRANGE_HOST}:{page_port}'" in text for text in blocked] == [True, True]
    body = {"email": email, "password": PASSWORD}
    assert httpx.post(f"{site.url}/api/v1/auth/register", json=body, trust_env=False).status_code == 201


def test_the_pages_of_the_api_show_under_their_policies_and_ask_no_other_host(browser, site):
    asked: list[str] = []
    browser.page.on("request", lambda request: asked.append(request.url))
    browser.page.goto(f"{site.url}/api/v1/docs/")
    browser.see(".opblock-tag", "")
    browser.page.goto(f"{site.url}/api/v1/redoc/")
    browser.see("h1", "genvid")
    assert browser.complaints == []
    assert [url for url in asked if not url.startswith((site.url, "data:", "blob:"))] == []


def test_the_staffs_pages_work_under_their_policy(browser, site):
    browser.page.goto(f"{site.url}/admin/")
    browser.write("input[name=username]", site.secrets["DEMO_ADMIN_EMAIL"])
    browser.write("input[name=password]", site.secrets["DEMO_ADMIN_PASSWORD"])
    browser.click("button[type=submit]")
    browser.see("main, #main, body", "Videos")
    browser.page.goto(f"{site.url}/admin/avatars/avatar/")
    browser.see("#result_list", "Studio Avatar")
    assert browser.complaints == []

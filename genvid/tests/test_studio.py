"""The studio in a real browser: tabs, addresses, focus, files and errors."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from genvid.tests.browser import PATIENCE_MS, Browser, chromium, rows
from genvid.tests.factories import Person, lead, make_video, set_balance
from genvid.tests.studio import broken_scripts, findings, focused, open_studio, sign_in, until
from videos.enums import Status
from videos.models import Video

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]

ADDRESS = re.compile(r"/\?video=([0-9a-f-]{36})$")
ASK_WHO = """() => {
    const api = [...document.querySelectorAll("link[rel=modulepreload]")].find((link) => link.href.endsWith("/api.js"));
    const ask = ({ call }) => call("profile").then(({ data }) => data.email, (error) => error.message);
    window.answer = import(api.href).then(ask);
}"""
HOLD_UNDO = """(() => {
    const [start, stop, held] = [window.setTimeout, window.clearTimeout, new Map()];
    window.setTimeout = (act, wait, ...rest) => {
        if (wait !== 10_000) return start(act, wait, ...rest);
        held.set(-held.size - 1, act);
        return -held.size;
    };
    window.clearTimeout = (timer) => { held.delete(timer) || stop(timer); };
    window.passUndo = () => {
        const due = [...held.values()];
        held.clear();
        due.forEach((act) => act());
        return due.length;
    };
})()"""
"""The time in which deleting can be undone passes when the test says so."""
SPOIL_ACCESS = """() => {
    const held = JSON.parse(localStorage.getItem("genvid"));
    localStorage.setItem("genvid", JSON.stringify({ ...held, access: "spoilt" }));
}"""


@pytest.fixture
def customer(browser_site: str, owner: Person, avatar: Any) -> Person:
    set_balance(owner, 500)
    return owner


@pytest.fixture
def finished(customer: Person, avatar: Any) -> str:
    """A portrait video with a title that no file may have."""
    payload = {"script": "Spring has come.", "title": "Spring: sale / 50 %", "format": "9:16"}
    return str(rows(make_video, customer, Status.COMPLETED, avatar=avatar, **payload).pk)


@pytest.fixture
def browser(browser_site: str, customer: Person) -> Iterator[Browser]:
    with Browser() as window:
        yield window


def shown_part(page: Page, selector: str) -> tuple[float, float]:
    """Top and bottom of an element in the window."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"], box["y"] + box["height"]


# ── Tabs


def test_tabs_of_the_studio_share_one_session(browser, browser_site, customer):
    first = open_studio(browser, browser_site, customer)
    second = browser.tab()
    second.goto(browser_site)
    expect(second.locator("#who")).to_have_text(customer.user.email, timeout=PATIENCE_MS)

    renewals: list[str] = []
    browser.context.on("request", lambda asked: renewals.append(asked.url) if "auth/refresh" in asked.url else None)
    first.evaluate(SPOIL_ACCESS)
    for tab in (first, second):
        tab.evaluate(ASK_WHO)
    assert [tab.evaluate("window.answer") for tab in (first, second)] == [customer.user.email] * 2
    assert len(renewals) == 1

    first.click("#sign-out")
    expect(second.locator("#sign-in")).to_be_visible(timeout=PATIENCE_MS)
    sign_in(browser, customer)
    expect(second.locator("#who")).to_have_text(customer.user.email, timeout=PATIENCE_MS)


# ── Addresses, focus, what is read out


def test_an_order_is_followed_by_address_focus_and_announcements(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    assert focused(page) == "main"
    browser.write("#script", "Hello from the studio, where everybody can make films.")
    page.locator("#generate[aria-disabled=false]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(ADDRESS)
    assert focused(page) == "stage"
    expect(page).to_have_title("Hello from the studio, where everybody · genvid studio")
    order_address = page.url

    browser.see("#announcement", "Hello from the studio, where everybody: Waiting in the queue.")

    page.reload()
    expect(page.locator("#stage h2")).to_have_text("Hello from the studio, where everybody can make films.")
    rows(lambda: lead(Video.objects.get(), Status.COMPLETED))
    browser.see("#announcement", "Hello from the studio, where everybody: Finished.")

    browser.see("#stage .actions", "Download MP4")
    name = "Hello from the studio, where everybody can make.mp4"
    assert page.locator("text=Download MP4").get_attribute("download") == name

    page.go_back()
    browser.see("#stage", "Your video will appear here.")
    page.go_forward()
    browser.see("#stage h2", "Hello from the studio")
    assert (page.url, broken_scripts(browser)) == (order_address, [])


def test_a_video_has_an_address_of_its_own(browser, browser_site, customer, finished):
    page = open_studio(browser, browser_site, customer, f"/?video={finished}")
    browser.see("#stage h2", "Spring: sale / 50 %")
    link = page.locator(f"#history a[data-id='{finished}']")
    assert (link.get_attribute("href"), link.get_attribute("aria-current")) == (f"/?video={finished}", "true")
    browser.see("#stage .actions", "Download MP4")
    assert page.locator("text=Download MP4").get_attribute("download") == "Spring sale 50 %.mp4"

    page.goto(f"{browser_site}/?video=00000000-0000-0000-0000-000000000000")
    browser.see("#notices", "There is no such video, or it belongs to another account.")
    assert page.url == f"{browser_site}/"


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_script_stage_and_stills_can_be_seen(browser, browser_site, customer, finished, width, height):
    browser.page.set_viewport_size({"width": width, "height": height})
    page = open_studio(browser, browser_site, customer)
    top, bottom = shown_part(page, "#script")
    assert 0 < top < bottom < height

    still = page.locator(f"#history a[data-id='{finished}'] .thumb")
    still.locator("img").wait_for()
    box = still.bounding_box()
    assert (box["width"], box["height"]) == (54, 96)

    still.click()
    browser.see("#stage h2", "Spring: sale / 50 %")
    below_bar = shown_part(page, ".bar")[1] if width > 980 else 0
    assert below_bar <= shown_part(page, "#stage")[0] < height / 2
    assert focused(page) == "stage"


# ── What goes wrong


def test_generate_comes_back_with_the_network(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    ready, dead = page.locator("#generate[aria-disabled=false]"), page.locator("#generate[aria-disabled=true]")
    browser.write("#script", "Hello.")
    ready.wait_for()
    browser.context.set_offline(True)
    browser.write("#script", "Hello again.")
    browser.see("#make-problem", "You are offline.")
    dead.wait_for()
    browser.context.set_offline(False)
    ready.wait_for()
    expect(page.locator("#make-problem")).to_be_hidden()


@pytest.mark.parametrize(
    ("is_retryable", "actions"),
    [(False, ["Use this script", "Delete…"]), (True, ["Try again", "Use this script", "Delete…"])],
)
def test_a_failed_video_cost_nothing_and_may_be_retried_only_where_that_helps(
    browser, browser_site, customer, is_retryable, actions
):
    why = {"error_message": "The content was refused.", "error_retryable": is_retryable}
    video = rows(make_video, customer, Status.FAILED, **why)
    page = open_studio(browser, browser_site, customer, f"/?video={video.pk}")
    browser.see("#stage .idle", "The content was refused. Nothing was charged.")
    assert page.locator("#stage .actions button").all_inner_texts() == actions
    browser.see("#announcement", "Failed. The content was refused. Nothing was charged.")


def test_canceling_and_trying_again_keep_the_focus_on_the_stage(browser, browser_site, customer):
    video = rows(make_video, customer)
    page = open_studio(browser, browser_site, customer, f"/?video={video.pk}")
    for button, status in (("Cancel", "Canceled"), ("Try again", "Waiting in the queue")):
        page.locator(f"#stage .actions >> text={button}").focus()
        page.keyboard.press("Enter")
        browser.see("#stage .chip", status)
        assert focused(page) == "stage"
    assert ADDRESS.search(page.url)[1] == str(rows(Video.objects.get, retry_of=video).pk)


def test_lists_that_arrive_late_leave_the_focus_where_the_customer_put_it(browser, browser_site, customer):
    held: list[Route] = []
    browser.page.route("**/api/v1/voices*", lambda route: held.append(route))
    page = open_studio(browser, browser_site, customer)
    page.locator("#script").focus()
    with page.expect_response("**/api/v1/voices*"):
        held[0].continue_()
    expect(page.locator("#voice option")).not_to_have_count(0)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert focused(page) == "script"


# ── Deleting


def test_deleting_asks_by_name_and_can_be_undone(browser, browser_site, customer):
    video = rows(make_video, customer, Status.FAILED, script="Take this away, please, as soon as you can.")
    browser.page.add_init_script(HOLD_UNDO)
    page = open_studio(browser, browser_site, customer, f"/?video={video.pk}")
    browser.click("text=Delete…")
    browser.see("#delete-question", "Delete “Take this away, please, as soon”?")
    browser.click("text=Keep it")
    browser.see("#stage h2", "Take this away")

    delete(browser)
    assert page.locator("#notices button:focus").inner_text() == "Undo"
    expect(page.locator(f"#history a[data-id='{video.pk}']")).to_have_count(0)
    page.keyboard.press("Enter")
    browser.see("#stage h2", "Take this away")
    assert page.evaluate("window.passUndo()") == 0
    assert rows(Video.objects.filter(pk=video.pk, deleted_at=None).exists)

    delete(browser)
    assert page.evaluate("window.passUndo()") == 1
    until(lambda: not rows(Video.objects.filter(pk=video.pk, deleted_at=None).exists))


def delete(browser: Browser) -> None:
    browser.click("text=Delete…")
    browser.click("#delete-dialog [value=delete]")
    browser.see("#stage", "Your video will appear here.")


# ── Assistive technology


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_accessibility_problem_in_the_studio(browser, browser_site, customer, finished, scheme):
    page = browser.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(browser_site)
    browser.see("#way-hint", "Your account starts")
    assert findings(page) == []

    page.evaluate("address => history.replaceState(null, '', address)", f"/?video={finished}")
    sign_in(browser, customer)
    browser.see("#stage .actions", "Download MP4")
    browser.write("#script", "Hello.")
    page.locator("#generate[aria-disabled=false]").wait_for()
    assert findings(page) == []

    browser.click("text=Delete…")
    assert findings(page, "#delete-dialog") == []
    browser.click("text=Keep it")
    browser.click("#wallet")
    browser.see("#balance", "available")
    assert findings(page) == []
    assert broken_scripts(browser) == []

"""Files beyond what one request takes, which the studio sends straight to the bucket."""

import json
import re
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from avatars import jobs
from avatars.enums import UploadStatus
from avatars.models import Upload
from avatars.uploads import direct
from billing.models import Tier
from genvid.tests.browser import PATIENCE_MS, Browser, chromium, rows
from genvid.tests.buckets import Rule
from genvid.tests.factories import Person, set_balance
from genvid.tests.jobs import run_job
from genvid.tests.media_files import film
from genvid.tests.studio import broken_scripts, findings, open_studio, until
from genvid.tests.uploads import make_upload

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]
MEBIBYTE = 1024**2
LARGE = 20 * MEBIBYTE + 1
ZONE = "#files-drop"
DROP = """([selector, names, size]) => {
    const dataTransfer = new DataTransfer(), zone = document.querySelector(`${selector} .drop`);
    for (const name of names) dataTransfer.items.add(new File([new Uint8Array(size)], name));
    zone.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""
STATIC = Path(settings.BASE_DIR) / "genvid" / "static" / "genvid"


@pytest.fixture
def customer(browser_site: str, owner: Person, avatar: Any) -> Person:
    set_balance(owner, 500)
    return owner


@pytest.fixture
def browser(browser_site: str, customer: Person) -> Iterator[Browser]:
    with Browser() as window:
        yield window


@pytest.fixture
def open_bucket(store: SimpleNamespace) -> SimpleNamespace:
    """With the rule that the docs tell operators to make."""
    store.cors += documented_rules()
    return store


def documented_rules() -> list[Rule]:
    page = (Path(settings.BASE_DIR) / "docs" / "production.md").read_text()
    [text] = re.findall(r"<<'RULE'\n(.+?)\nRULE\n", page, re.DOTALL)
    found: list[Rule] = json.loads(text)["CORSRules"]
    return found


@pytest.fixture
def large_film(tmp_path: Path) -> Path:
    """A film that is followed by a box of nothing."""
    path = tmp_path / "me.mp4"
    path.write_bytes(film() + struct.pack(">I4s", LARGE, b"free") + bytes(LARGE - 8))
    return path


def drop(page: Page, *names: str, size: int = LARGE) -> None:
    page.evaluate(DROP, [ZONE, names, size])


def handed_over() -> Upload:
    """Once the studio has said that its bytes are there."""
    found: Upload = until(lambda: rows(Upload.objects.filter(due_at__isnull=False, deleted_at=None).first))
    return found


def kept() -> int:
    count: int = rows(Upload.objects.filter(deleted_at=None).count)
    return count


def test_a_large_film_goes_to_the_bucket_and_is_chosen_once_it_is_checked(
    browser, browser_site, customer, open_bucket, large_film
):
    page = open_studio(browser, browser_site, customer)
    forms: list[str] = []
    is_form = "multipart/form-data"
    page.on("request", lambda sent: forms.append(sent.url) if is_form in sent.headers.get("content-type", "") else None)
    page.locator("#sources span:text-is('Mine')").click()
    browser.click("#make-face")
    page.locator("dialog[open] span:text-is('A film')").click()
    browser.see("dialog[open] .drop", "MP4 or WebM, up to 10 minutes, 500 MB at most.")
    page.locator("dialog[open] input[type=file]").set_input_files(large_film)
    browser.see("dialog[open] .sending-row", "Being checked…")
    expect(page.get_by_role("progressbar", name="Checking me.mp4")).to_be_visible()
    upload = handed_over()
    rows(run_job, jobs.WORK_ON_UPLOAD, str(upload.pk))
    chosen = page.locator("dialog[open] [name=upload_id] option:checked")
    expect(chosen).to_contain_text("me.mp4, ", timeout=PATIENCE_MS)
    assert forms == [f"{open_bucket.url}/films"]
    assert sorted(open_bucket.objects) == [f"/films/uploads/{customer.account.pk}/{upload.pk}.mp4"]
    assert (page.locator(".sending-row").count(), broken_scripts(browser)) == (0, [])


def test_without_a_cors_rule_the_studio_says_who_has_to_make_it_and_sends_again_after_that(
    browser, browser_site, customer, store
):
    page = open_studio(browser, browser_site, customer)
    drop(page, "film.mp4")
    browser.see(f"{ZONE} .problem", "film.mp4: The storage of this site takes no files from web pages yet")
    help_page = page.locator(f"{ZONE} .problem a").get_attribute("href")
    assert page.request.get(browser_site + str(help_page)).text().count('id="pages-of-other-origins"') == 1
    until(lambda: kept() == 0)
    assert store.objects == {}

    store.cors += documented_rules()
    page.get_by_role("button", name="Send film.mp4 again").click()
    browser.see(f"{ZONE} .sending-row", "Being checked…")
    assert page.locator(f"{ZONE} .problem").is_hidden()
    assert handed_over().bytes == LARGE


def test_a_bucket_that_cannot_be_reached_is_told_from_one_without_a_rule(browser, browser_site, customer, store):
    page = open_studio(browser, browser_site, customer)
    page.route(f"{store.url}/**", lambda route: route.abort())
    drop(page, "film.mp4")
    browser.see(f"{ZONE} .problem", "film.mp4: The storage of this site cannot be reached.")
    until(lambda: kept() == 0)


def test_sending_one_of_two_again_leaves_the_others_refusal(browser, browser_site, customer, store):
    page = open_studio(browser, browser_site, customer)
    drop(page, "one.mp4", "two.mp4")
    expect(page.locator(f"{ZONE} .refusal")).to_have_count(2, timeout=PATIENCE_MS)
    store.cors += documented_rules()
    page.get_by_role("button", name="Send one.mp4 again").click()
    browser.see(f"{ZONE} .sending-row", "Being checked…")
    [left] = page.locator(f"{ZONE} .refusal").all_text_contents()
    assert left.startswith("two.mp4: ")


def test_a_form_whose_time_is_over_is_replaced_by_sending_again(
    browser, browser_site, customer, open_bucket, monkeypatch
):
    page = open_studio(browser, browser_site, customer)
    with monkeypatch.context() as patched:
        patched.setattr(direct, "LINK_LIFETIME", timedelta(seconds=-1))
        drop(page, "film.mp4")
        browser.see(f"{ZONE} .problem", "film.mp4: The time for sending it is over.")
    until(lambda: kept() == 0)
    page.get_by_role("button", name="Send film.mp4 again").click()
    browser.see(f"{ZONE} .sending-row", "Being checked…")


def test_a_large_file_that_is_refused_says_why_beside_its_zone_and_in_the_list(
    browser, browser_site, customer, open_bucket
):
    page = open_studio(browser, browser_site, customer)
    drop(page, "film.mp4")
    upload = handed_over()
    rows(run_job, jobs.WORK_ON_UPLOAD, str(upload.pk))
    browser.see(f"{ZONE} .problem", f"film.mp4: {(refusal := rows(Upload.objects.get).refusal)}")
    browser.see("#files li", "Film · refused")
    browser.see("#files li .file-note", refusal)
    assert (page.locator(f"{ZONE} .problem button").count(), open_bucket.objects) == (0, {})
    assert page.locator(f"{ZONE} input").get_attribute("aria-invalid") == "true"


def test_a_plan_that_keeps_no_more_refuses_before_anything_is_sent(browser, browser_site, customer, open_bucket):
    rows(Tier.objects.update, upload_bytes=10 * MEBIBYTE)
    page = open_studio(browser, browser_site, customer)
    drop(page, "film.mp4")
    browser.see(f"{ZONE} .problem", "film.mp4: Your plan keeps 0.0104858 GB of uploads")
    assert (rows(Upload.objects.count), open_bucket.objects) == (0, {})


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("face.jpg", 50_000_001, "It has 50.0 MB, and this site takes 50 MB at most."),
        ("voice.wav", 120_000_001, "It has 120.0 MB, and this site takes 120 MB at most."),
        ("film.mov", LARGE, "Only JPEG, PNG, WebP, WAV, MP3, MP4 and WebM are taken."),
    ],
)
def test_a_file_beyond_the_limit_of_its_kind_is_not_announced(
    browser, browser_site, customer, open_bucket, name, size, words
):
    page = open_studio(browser, browser_site, customer)
    drop(page, name, size=size)
    browser.see(f"{ZONE} .problem", f"{name}: {words}")
    assert (rows(Upload.objects.count), open_bucket.objects) == (0, {})


def test_stopping_a_large_file_leaves_nothing(browser, browser_site, customer, open_bucket):
    page = open_studio(browser, browser_site, customer)
    page.route(f"{open_bucket.url}/**", lambda route: None)  # never answered
    drop(page, "film.mp4")
    until(lambda: kept() == 1)
    page.get_by_role("button", name="Stop sending film.mp4").click()
    browser.see("#announcement", "film.mp4 is not sent.")
    until(lambda: kept() == 0)
    assert page.locator(f"{ZONE} .problem").is_hidden()


def test_a_form_that_is_closed_leaves_its_file_to_the_list_of_files(
    browser, browser_site, customer, open_bucket, large_film
):
    page = open_studio(browser, browser_site, customer)
    page.locator("#sources span:text-is('Mine')").click()
    browser.click("#make-face")
    page.locator("dialog[open] span:text-is('A film')").click()
    page.locator("dialog[open] input[type=file]").set_input_files(large_film)
    browser.see("dialog[open] .sending-row", "Being checked…")
    page.get_by_role("button", name="Cancel").click()
    browser.see(f"{ZONE} .sending-row", "Being checked…")
    rows(run_job, jobs.WORK_ON_UPLOAD, str(handed_over().pk))
    browser.see("#files li", "me.mp4")
    expect(page.locator(".sending-row")).to_have_count(0)


def test_signing_out_stops_what_is_being_sent(browser, browser_site, customer, open_bucket):
    page = open_studio(browser, browser_site, customer)
    page.route(f"{open_bucket.url}/**", lambda route: None)  # never answered
    drop(page, "film.mp4")
    until(lambda: kept() == 1)
    browser.click("#sign-out")
    browser.see("#announcement", "film.mp4 is not sent.")
    assert page.locator(".sending-row").count() == 0


def test_what_was_dropped_is_not_sent_after_signing_out(browser, browser_site, customer, open_bucket):
    page = open_studio(browser, browser_site, customer)
    page.route(f"{open_bucket.url}/**", lambda route: None)  # never answered
    sent: list[str] = []
    page.on("request", lambda made: sent.append(f"{made.method} {made.url.partition('/api/v1/')[2]}"))
    drop(page, "one.mp4", "two.mp4")
    until(lambda: kept() == 1)
    browser.click("#sign-out")
    browser.see("#announcement", "one.mp4 is not sent.")
    page.reload()
    assert (sent.count("POST uploads"), rows(Upload.objects.count)) == (1, 1)
    assert f"DELETE uploads/{rows(Upload.objects.get).pk}" in sent


def test_a_file_that_is_checked_while_nobody_sends_is_followed_in_the_list(browser, browser_site, customer):
    upload = rows(make_upload, customer, status=UploadStatus.WAITING)
    open_studio(browser, browser_site, customer)
    browser.see("#files li", "being sent or checked")
    rows(lambda: Upload.objects.filter(pk=upload.pk).update(status=UploadStatus.READY))
    browser.see("#files li", "320 by 200")
    browser.see("#files li", "unless used")


def test_the_studio_knows_the_types_and_limits_of_the_server():
    script = (STATIC / "formats.js").read_text()
    types = dict(re.findall(r'(\w+): "(\w+/\w+)"', script))
    [limits] = re.findall(r"LARGEST_MB = \{(.+)\}", script)
    assert set(types.values()) == set(direct.KINDS)
    assert {kind: int(most) * direct.MEGABYTE for kind, most in re.findall(r"(\w+): (\d+)", limits)} == direct.LARGEST


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_no_problem_while_a_large_file_is_sent_and_when_it_is_refused(
    browser, browser_site, customer, store, scheme, width
):
    page = browser.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    open_studio(browser, browser_site, customer)
    name = f"{'a very long name of a film ' * 5}.mp4"
    drop(page, name)
    browser.see(f"{ZONE} .problem", "takes no files from web pages yet")
    store.cors += documented_rules()
    drop(page, "film.mp4")
    browser.see(f"{ZONE} .sending-row", "Being checked…")
    drop(page, f"{name}.mov")
    browser.see(f"{ZONE} .problem", "Only JPEG")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

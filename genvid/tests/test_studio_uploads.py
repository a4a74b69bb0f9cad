"""Own files in the studio: choosing, dropping, photographing, recording, deleting."""

import io
import wave
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from avatars.models import Upload
from genvid.tests.browser import PATIENCE_MS, Browser, chromium, rows
from genvid.tests.factories import Person, make_upload, make_video, set_balance
from genvid.tests.media_files import picture, wav
from genvid.tests.studio import broken_scripts, findings, focused, open_studio, until
from genvid.tests.uploads import make_upload as make_stored_upload

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]
DEVICES = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
DROP = """([selector, name, bytes]) => {
    const dataTransfer = new DataTransfer(), zone = document.querySelector(selector);
    dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
    const event = { dataTransfer, bubbles: true, cancelable: true };
    for (const step of ["dragover", "drop"]) zone.dispatchEvent(new DragEvent(step, event));
}"""
"""`bytes`: the content, or how many zeros."""
RECORDED = {"kind": "audio", "filename": "voice.wav", "content_type": "audio/wav", "width": None, "height": None}
FILES, PICTURES, RECORDINGS = "#files-drop input", "#picture-picker", "#recording-picker"


@pytest.fixture
def customer(browser_site: str, owner: Person, avatar: Any) -> Person:
    set_balance(owner, 500)
    return owner


@pytest.fixture
def browser(browser_site: str, customer: Person) -> Iterator[Browser]:
    with Browser(*DEVICES) as window:
        yield window


def file(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def drop(page: Page, selector: str, name: str, content: list[int] | int) -> None:
    page.evaluate(DROP, [selector, name, content])


def show(page: Page, words: str) -> None:
    """Choose one of the tabs."""
    page.locator(f".choice span:text-is('{words}')").click()


def test_chosen_files_are_listed_with_what_was_changed_about_them(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    browser.see("#files", "No files yet.")
    page.locator(FILES).set_input_files([file("large.jpg", picture("JPEG", (2400, 1200))), file("voice.wav", wav())])
    browser.see("#files li:nth-child(1)", "voice.wav")
    browser.see("#files li:nth-child(2)", "Scaled from 2400 by 1200 to 2048 by 1024 pixels.")
    browser.see("#files li:nth-child(2)", "Picture · 2048 by 1024")
    assert page.locator("#files li:nth-child(2) img").evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert (page.locator(".sending-row").count(), broken_scripts(browser)) == (0, [])


def test_progress_is_shown_and_sending_can_be_stopped(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    page.route("**/api/v1/uploads", lambda route: None)  # never answered
    page.locator(FILES).set_input_files(file("me.png", picture()))
    bar = page.get_by_role("progressbar", name="Sending me.png")
    expect(bar).to_be_visible()
    stop = page.get_by_role("button", name="Stop sending me.png")
    stop.focus()
    page.keyboard.press("Enter")
    expect(bar).to_have_count(0, timeout=PATIENCE_MS)
    browser.see("#announcement", "me.png is not sent.")
    assert page.locator(FILES).evaluate("input => input === document.activeElement")
    assert (rows(Upload.objects.count), page.locator("#files-drop .problem").is_visible()) == (0, False)


def test_a_dropped_picture_is_sent_and_chosen(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    show(page, "A picture")
    browser.see(PICTURES, "No pictures yet.")
    drop(page, f"{PICTURES} .drop", "me.png", [*picture()])
    expect(page.locator(f"{PICTURES} input[type=radio]")).to_be_checked(timeout=PATIENCE_MS)
    browser.see("#files", "me.png")
    browser.see("#announcement", "me.png is uploaded.")


def test_a_refused_file_is_named_beside_its_zone_and_the_next_is_sent(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    page.locator(FILES).set_input_files([file("notes.txt", b"Hello"), file("me.png", picture())])
    browser.see("#files", "me.png")
    browser.see("#files-drop .problem", "notes.txt: ")
    assert rows(lambda: list(Upload.objects.values_list("filename", flat=True))) == ["me.png"]


def test_a_file_beyond_the_limit_is_not_sent(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    drop(page, "#files-drop .drop", "film.mp4", 20 * 1024 * 1024 + 1)
    browser.see("#files-drop .problem", "film.mp4: It has 21.0 MB, and this site takes 20 MB at most.")
    browser.see("#files-drop .drop", "MP4 or WebM, up to 10 minutes. 20 MB at most.")
    assert sent == []


def test_deleting_a_file_asks_and_moves_the_focus_to_the_next(browser, browser_site, customer):
    for name in ("first.png", "second.png"):
        rows(make_stored_upload, customer, filename=name)
    page = open_studio(browser, browser_site, customer)
    browser.see("#files", "first.png")
    page.get_by_role("button", name="Delete second.png…").click()
    browser.see("#delete-question", "Delete “second.png”?")
    browser.click("text=Keep it")
    assert rows(Upload.objects.filter(deleted_at=None).count) == 2
    page.get_by_role("button", name="Delete second.png…").click()
    browser.click("#delete-yes")
    expect(page.locator("#files li")).to_have_count(1, timeout=PATIENCE_MS)
    assert page.evaluate("document.activeElement.ariaLabel") == "Delete first.png…"
    until(lambda: rows(Upload.objects.filter(deleted_at=None).count) == 1)


def test_a_file_in_use_says_so_and_stays(browser, browser_site, customer, voice):
    upload = rows(make_upload, customer)
    rows(make_video, customer, picture={"upload_id": upload.pk}, avatar_id=None, voice=voice)
    page = open_studio(browser, browser_site, customer)
    browser.see(f"#files [data-id='{upload.pk}']", "in use")
    browser.click(f"#files [data-id='{upload.pk}'] button")
    browser.click("#delete-yes")
    expect(page.locator(f"#files [data-id='{upload.pk}'] .wrong")).not_to_be_empty(timeout=PATIENCE_MS)
    assert rows(Upload.objects.filter(pk=upload.pk, deleted_at=None).exists)


def test_a_picture_of_a_test_key_is_listed_as_such_and_not_offered(browser, browser_site, customer):
    ours, of_test_key = rows(lambda: [make_upload(customer, is_test=is_test) for is_test in (False, True)])
    page = open_studio(browser, browser_site, customer)
    browser.see(f"#files [data-id='{of_test_key.pk}']", "Picture · of a test key · 320 by 200")
    show(page, "A picture")
    expect(page.locator(f"{PICTURES} input[value='{ours.pk}']")).to_have_count(1, timeout=PATIENCE_MS)
    assert page.locator(f"{PICTURES} input[value='{of_test_key.pk}']").count() == 0


def test_older_files_come_on_demand(browser, browser_site, customer):
    rows(lambda: [make_upload(customer, "audio") for _ in range(51)])
    page = open_studio(browser, browser_site, customer)
    for count in (10, 30, 50, 51):
        expect(page.locator("#files li")).to_have_count(count, timeout=PATIENCE_MS)
        assert page.locator("#more-files").is_visible() == (count < 51)
        if count < 51:
            browser.click("#more-files")
            expect(page.locator(f"#files li:nth-child({count + 1}) button")).to_be_focused(timeout=PATIENCE_MS)


def test_a_photo_of_the_camera_becomes_an_upload(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    show(page, "A picture")
    page.locator(f"{PICTURES} >> text=Take a photo…").click()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.get_by_role("button", name="Use this photo")).to_be_focused()
    page.get_by_role("button", name="Take another").click()
    page.get_by_role("button", name="Take the photo").click()
    assert findings(page, "dialog[open]") == []
    page.get_by_role("button", name="Use this photo").click()
    expect(page.locator(f"{PICTURES} input[type=radio]")).to_be_checked(timeout=PATIENCE_MS)
    photo = rows(Upload.objects.get)
    assert (photo.kind, photo.content_type, photo.width > 300) == ("image", "image/jpeg", True)
    assert broken_scripts(browser) == []


def test_a_recording_becomes_an_upload_in_wav(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    show(page, "Own recording")
    page.locator(f"{RECORDINGS} >> text=Record…").click()
    page.get_by_role("button", name="Start recording").click()
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page.locator(".clock")).not_to_have_text("0 s", timeout=PATIENCE_MS)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Use this recording")).to_be_focused(timeout=PATIENCE_MS)
    assert findings(page, "dialog[open]") == []
    page.keyboard.press("Enter")
    expect(page.locator(f"{RECORDINGS} input[type=radio]")).to_be_checked(timeout=PATIENCE_MS)
    kept = rows(Upload.objects.get)
    with rows(kept.file.open) as stored, wave.open(io.BytesIO(stored.read())) as sound:
        assert (kept.kind, sound.getnchannels(), sound.getsampwidth()) == ("audio", 1, 2)
        assert sound.getnframes() / sound.getframerate() == pytest.approx(float(kept.duration_seconds), abs=0.01)
    assert 0.5 < kept.duration_seconds < 60
    assert broken_scripts(browser) == []


def test_closing_the_camera_sends_nothing_and_returns_the_focus(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    show(page, "A picture")
    opener = page.locator(f"{PICTURES} >> text=Take a photo…")
    opener.click()
    page.get_by_role("button", name="Take the photo").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(opener).to_be_focused()
    assert rows(Upload.objects.count) == 0


def test_without_a_camera_and_a_microphone_nothing_offers_them(browser, browser_site, customer):
    browser.page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page = open_studio(browser, browser_site, customer)
    assert page.locator("text=Take a photo…").count() == page.locator("text=Record…").count() == 0


def test_a_denied_camera_says_what_to_do(browser_site, customer):
    with Browser() as browser:
        page = open_studio(browser, browser_site, customer)
        show(page, "A picture")
        page.locator(f"{PICTURES} >> text=Take a photo…").click()
        expect(page.locator("dialog[open] .problem")).to_contain_text("hoose a file.", timeout=PATIENCE_MS)
        page.keyboard.press("Escape")
        assert focused(page) == "BUTTON"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_no_problem_with_files_pictures_and_recordings(browser, browser_site, customer, scheme, width):
    rows(make_stored_upload, customer, notes=["Its metadata was removed."])
    rows(
        make_stored_upload,
        customer,
        wav(),
        kind="audio",
        filename="voice.wav",
        content_type="audio/wav",
        width=None,
        height=None,
        duration_seconds=1,
    )
    page = browser.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    open_studio(browser, browser_site, customer)
    browser.see("#files", "Its metadata was removed.")
    page.locator(FILES).set_input_files(file("notes.txt", b"Hello"))
    browser.see("#files-drop .problem", "notes.txt: ")
    for words in ("A picture", "Own recording"):
        show(page, words)
    page.locator(f"{PICTURES} input[type=radio] + span").click()
    page.locator(f"{RECORDINGS} input[type=radio] + span").click()
    page.locator(f"{RECORDINGS} audio[src]").wait_for()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

"""Own presenters and voices in the studio: ordering, following, choosing and deleting them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from accounts.tests.moderation import make_rule
from avatars.enums import CreationKind, EntryStatus
from avatars.models import Avatar, Creation, Voice
from avatars.own import consent_texts, settlement
from avatars.tests.own_entries import fresh, make_upload, order, run
from genvid.tests.browser import PATIENCE_MS, Browser, chromium, rows
from genvid.tests.factories import Person, set_balance
from genvid.tests.media_files import picture
from genvid.tests.studio import broken_scripts, findings, focused, open_studio, until
from videos.models import Video

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]
FORM = "dialog[open] form.making"


@pytest.fixture
def customer(browser_site: str, owner: Person, avatar: Any) -> Person:
    set_balance(owner, 500)
    return owner


@pytest.fixture
def browser(browser_site: str, customer: Person) -> Iterator[Browser]:
    with Browser() as window:
        yield window


def open_mine(browser: Browser, browser_site: str, customer: Person) -> Page:
    page = open_studio(browser, browser_site, customer)
    page.locator("#sources span:text-is('Mine')").click()
    return page


def made(customer: Person, kind: CreationKind = CreationKind.PHOTO_AVATAR, **fields: Any) -> Creation:
    """Ready, as the worker ends it."""
    creation = order(customer, kind, **fields)
    assert creation.move(EntryStatus.CREATING, reason="test")
    entry = {"provider_id": f"own_{creation.pk}", "gender": "female", "engines": ["avatar_iv"], "is_available": True}
    if kind == CreationKind.VOICE_CLONE:
        del entry["engines"]
    assert settlement.complete(fresh(creation), entry)
    return fresh(creation)


def waiting(customer: Person) -> Creation:
    creation = order(customer, CreationKind.DIGITAL_TWIN, name="Ada on film")
    assert creation.move(EntryStatus.CREATING, reason="test")
    page = "https://app.heygen.com/consent/1"
    assert fresh(creation).move(EntryStatus.WAITING_FOR_CONSENT, reason="test", consent_url=page)
    return creation


def test_a_picture_becomes_a_presenter_that_is_followed_and_chosen(browser, browser_site, customer, voice):
    page = open_mine(browser, browser_site, customer)
    browser.see("#own-presenters", "No presenter of your own yet.")
    browser.see("#quote", "Choose a presenter of your own, or make one.")
    browser.click("#make-face")
    browser.see(FORM, "20 credits are held now")
    me = {"name": "me.png", "mimeType": "image/png", "buffer": picture()}
    page.locator(f"{FORM} input[type=file]").set_input_files(me)
    expect(page.locator(f"{FORM} [name=upload_id] option:checked")).to_have_text("me.png", timeout=PATIENCE_MS)
    browser.write(f"{FORM} [name=name]", "Ada at her desk")
    page.locator(f"{FORM} [name=confirmed]").check()
    page.get_by_role("button", name="Make it for 20 credits").click()

    browser.see("#own-presenters .chip", "Waiting")
    browser.see("#own-presenters", "20 credits held")
    assert focused(page) == "make-face"
    creation = rows(Creation.objects.get)
    assert (creation.kind, creation.is_me) == ("photo_avatar", True)
    assert page.locator("#own-presenters input").is_disabled()

    assert rows(creation.move, EntryStatus.CREATING, reason="test")
    browser.see("#own-presenters .chip", "Being made")
    rows(lambda: settlement.complete(fresh(creation), {"provider_id": "look_own", "engines": ["avatar_iv"]}))
    browser.see("#own-presenters .chip", "Ready")
    browser.see("#announcement", "Ada at her desk: Ready.")
    browser.see("#own-presenters", "20 credits charged")
    assert page.locator("#own-presenters img").count() == 0

    page.locator("#own-presenters input + span").click()
    browser.write("#script", "Hello from my desk.")
    browser.click("#generate[aria-disabled=false]")
    browser.see("#stage h2", "Hello from my desk.")
    assert rows(lambda: Video.objects.get().avatar_id) == rows(Avatar.objects.get, name="Ada at her desk").pk
    assert broken_scripts(browser) == []


def test_what_is_missing_is_said_beside_its_field_and_nothing_is_sent(browser, browser_site, customer):
    page = open_mine(browser, browser_site, customer)
    browser.click("#make-face")
    browser.see(FORM, "20 credits are held now")
    page.get_by_label("Another person's").check()
    page.locator(f"{FORM} .actions .primary").click()
    expected = {
        "upload_id": "Send or choose a file.",
        "name": "Give it a name.",
        "consent\\.subject_name": "Name the person.",
        "consent\\.confirmed": "Confirm that the person agrees.",
    }
    for field, words in expected.items():
        browser.see(f"{FORM} [data-field={field}] .wrong", words)
    red = page.locator(f"{FORM} .wrong").first.evaluate("words => getComputedStyle(words).color")
    assert page.locator(f"{FORM} [name=name]").evaluate("field => getComputedStyle(field).borderColor") == red
    assert page.evaluate("document.activeElement.name") == "upload_id"
    assert rows(Creation.objects.count) == 0


def test_a_refusal_of_the_server_stands_in_the_form_and_the_form_stays(browser, browser_site, customer):
    rows(set_balance, customer, 5)
    rows(make_upload, customer)
    page = open_mine(browser, browser_site, customer)
    browser.click("#make-face")
    page.locator(f"{FORM} [name=upload_id]").select_option(index=1)
    browser.write(f"{FORM} [name=name]", "Ada")
    page.locator(f"{FORM} [name=confirmed]").check()
    page.get_by_role("button", name="Make it for 20 credits").click()
    browser.see(f"{FORM} > .problem", "credits")
    expect(page.get_by_role("button", name="Make it for 20 credits")).to_be_focused()
    page.locator(f"{FORM} > .problem button").click()
    browser.see("#billing-title", "Credits")
    assert (page.locator("dialog[open]").count(), rows(Creation.objects.count)) == (0, 0)


def test_a_recording_becomes_a_voice_to_choose(browser, browser_site, customer):
    rows(make_upload, customer, CreationKind.VOICE_CLONE)
    page = open_studio(browser, browser_site, customer)
    page.locator("text=Voices of your own").click()
    browser.see("#own-voices", "No voice of your own yet.")
    browser.click("#make-voice")
    browser.see(FORM, "10 credits are held now")
    page.locator(f"{FORM} [name=upload_id]").select_option(index=1)
    browser.write(f"{FORM} [name=name]", "Ada's own")
    page.get_by_label("Another person's").check()
    browser.write(f"{FORM} [name=subject_name]", "Ada")
    page.locator(f"{FORM} [name=confirmed]").check()
    page.get_by_role("button", name="Make it for 10 credits").click()
    browser.see("#own-voices .chip", "We look at it first")
    creation = rows(Creation.objects.get)
    assert (creation.is_me, creation.subject_name) == (False, "Ada")
    for status in (EntryStatus.QUEUED, EntryStatus.CREATING):
        assert rows(lambda to=status: fresh(creation).move(to, reason="test"))
    rows(lambda: settlement.complete(fresh(creation), {"provider_id": "voice_own"}))
    browser.see("#own-voices .chip", "Ready")
    chosen = rows(Voice.objects.get, name="Ada's own").pk
    expect(page.locator(f"#voice option[value='{chosen}']")).to_have_text("Ada's own, yours", timeout=PATIENCE_MS)


def test_the_consent_page_of_a_twin_is_a_link(browser, browser_site, customer):
    rows(waiting, customer)
    page = open_mine(browser, browser_site, customer)
    browser.see("#own-presenters .chip", "Waiting for consent")
    link = page.get_by_role("link", name="Consent page")
    assert link.get_attribute("href") == "https://app.heygen.com/consent/1"
    assert link.get_attribute("rel") == "noopener"


def test_an_expired_link_to_the_consent_page_is_replaced(browser, browser_site, customer, sandbox):
    sandbox.configure(consent_by_itself=False)
    creation = rows(run, rows(order, customer, CreationKind.DIGITAL_TWIN), EntryStatus.WAITING_FOR_CONSENT)
    rows(lambda: Creation.objects.update(consent_url_expires_at=creation.created_at))
    page = open_mine(browser, browser_site, customer)
    browser.see("#own-presenters", "There is no link to the consent page, or it has expired.")
    assert page.get_by_role("link", name="Consent page").count() == 0
    renew = page.get_by_role("button", name="Fresh link to the consent page of Ada")
    renew.focus()
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Consent page")
    expect(link).to_be_visible(timeout=PATIENCE_MS)
    assert link.get_attribute("href") == rows(fresh, creation).consent_url
    browser.see("#announcement", "A fresh link to the consent page of Ada is there")
    expect(renew).to_be_focused()
    assert page.locator("#own-presenters", has_text="has expired").count() == 0
    assert broken_scripts(browser) == []


def test_a_fresh_link_that_heygen_does_not_give_leaves_the_old_state_and_says_so(
    browser, browser_site, customer, sandbox
):
    sandbox.configure(consent_by_itself=False)
    creation = rows(run, rows(order, customer, CreationKind.DIGITAL_TWIN), EntryStatus.WAITING_FOR_CONSENT)
    rows(lambda: Creation.objects.update(consent_url_expires_at=creation.created_at))
    sandbox.fault(method="POST", path="/v3/avatars/*/consent", status=500)
    page = open_mine(browser, browser_site, customer)
    page.get_by_role("button", name="Fresh link to the consent page of Ada").click()
    expect(page.locator("#own-presenters .wrong")).not_to_be_empty(timeout=PATIENCE_MS)
    browser.see("#own-presenters", "There is no link to the consent page, or it has expired.")
    assert rows(fresh, creation).consent_url == creation.consent_url


def test_a_presenter_and_a_voice_are_renamed(browser, browser_site, customer):
    rows(made, customer, name="Ada")
    rows(made, customer, CreationKind.VOICE_CLONE, name="Ada's voice")
    page = open_mine(browser, browser_site, customer)
    page.get_by_role("button", name="Rename Ada…").click()
    assert findings(page, "dialog[open]") == []
    expect(page.locator("dialog[open] input")).to_have_value("Ada")
    browser.write("dialog[open] input", "  Grace <at> sea ")
    page.keyboard.press("Enter")
    browser.see("#own-presenters .caption", "Grace <at> sea")
    browser.see("#announcement", "It is called Grace <at> sea now.")
    expect(page.get_by_role("button", name="Rename Grace <at> sea…")).to_be_focused()

    page.locator("text=Voices of your own").click()
    page.get_by_role("button", name="Rename Ada's voice…").click()
    browser.write("dialog[open] input", "Grace speaks")
    page.locator("dialog[open] .primary").click()
    browser.see("#own-voices b", "Grace speaks")
    expect(page.locator("#voice option", has_text="Grace speaks, yours")).to_have_count(1, timeout=PATIENCE_MS)
    assert rows(lambda: (Avatar.objects.get(is_own=True).name, Voice.objects.get(is_own=True).name)) == (
        "Grace <at> sea",
        "Grace speaks",
    )
    assert broken_scripts(browser) == []


def test_those_of_a_test_key_are_shown_as_such_and_cannot_be_chosen(browser, browser_site, customer):
    face, speaker = rows(made, customer, name="Ada"), rows(made, customer, CreationKind.VOICE_CLONE, name="Ada's voice")
    rows(lambda: [model.objects.filter(is_own=True).update(is_test=True) for model in (Avatar, Voice)])
    page = open_mine(browser, browser_site, customer)
    browser.see(f"#own-presenters [data-id='{face.avatar_id}'] .caption", "photo avatar · of a test key")
    assert page.locator(f"#own-presenters input[value='{face.avatar_id}']").is_disabled()
    page.locator("text=Voices of your own").click()
    browser.see(f"#own-voices [data-id='{speaker.voice_id}']", "English · of a test key")
    assert page.locator(f"#voice option[value='{speaker.voice_id}']").count() == 0


def test_a_name_that_is_refused_stands_beside_its_field_and_changes_nothing(browser, browser_site, customer):
    rows(made, customer, name="Ada")
    rows(make_rule, "forbidden", reason="Not this word.")
    page = open_mine(browser, browser_site, customer)
    page.get_by_role("button", name="Rename Ada…").click()
    for name, words in (("   ", "Give it a name."), ("Forbidden Ada", "Not this word.")):
        browser.write("dialog[open] input", name)
        page.locator("dialog[open] .primary").click()
        browser.see("dialog[open] [data-field=name] .wrong", words)
        expect(page.locator("dialog[open] input")).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Rename Ada…")).to_be_focused()
    assert rows(Avatar.objects.get, is_own=True).name == "Ada"


def test_a_failed_one_says_why_and_that_nothing_was_charged(browser, browser_site, customer):
    creation = rows(order, customer, stored=False)
    rows(settlement.fail, creation, code="footage_refused", message="No face was found.", reason="test")
    open_mine(browser, browser_site, customer)
    browser.see("#own-presenters .chip", "Failed")
    browser.see("#own-presenters .reason", "No face was found.")
    browser.see("#own-presenters", "Nothing was charged.")


def test_long_names_and_reasons_stay_within_their_cards(browser, browser_site, customer):
    name, reason = "Donaudampfschifffahrt" * 9, "Nofacewasfound" * 20
    for kind in (CreationKind.PHOTO_AVATAR, CreationKind.VOICE_CLONE):
        creation = rows(order, customer, kind, name=name, stored=False)
        rows(settlement.fail, creation, code="footage_refused", message=reason, reason="test")
    browser.page.set_viewport_size({"width": 390, "height": 900})
    page = open_mine(browser, browser_site, customer)
    page.locator("text=Voices of your own").click()
    browser.see("#own-voices .reason", reason)
    for part in ("#own-presenters .own-card", "#own-presenters .caption b", "#own-voices li", "#own-voices b"):
        assert page.locator(part).evaluate("part => part.scrollWidth <= part.clientWidth"), part
    heading = page.locator("#own-presenters .caption b")
    assert heading.evaluate("name => name.clientHeight <= 2.6 * parseFloat(getComputedStyle(name).fontSize)")
    assert page.locator("#own-presenters label").get_attribute("title") == name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_deleting_a_presenter_asks_and_says_what_it_withdraws(browser, browser_site, customer):
    rows(made, customer)
    page = open_mine(browser, browser_site, customer)
    remove = page.get_by_role("button", name="Delete Ada…")
    remove.click()
    browser.see("#delete-warning", "This withdraws the consent")
    browser.click("text=Keep it")
    remove.click()
    browser.click("#delete-yes")
    browser.see("#own-presenters", "No presenter of your own yet.")
    browser.see("#announcement", "Ada is deleted.")
    until(lambda: not rows(Avatar.objects.filter(is_own=True, is_released=True, is_hidden=False).exists))
    assert focused(page) == "make-face"


def test_the_form_shows_the_text_that_the_server_keeps():
    script = Path(settings.BASE_DIR) / "genvid" / "static" / "genvid" / "consent.js"
    assert f'"{consent_texts.text_of(consent_texts.CURRENT, "en")}"' in script.read_text()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_no_problem_with_own_presenters_and_their_form(browser, browser_site, customer, scheme, width):
    rows(made, customer, CreationKind.VOICE_CLONE, name="Ada's voice")
    rows(waiting, customer)
    page = browser.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    open_mine(browser, browser_site, customer)
    page.locator("text=Voices of your own").click()
    browser.see("#own-presenters .chip", "Waiting for consent")
    browser.see("#own-voices .chip", "Ready")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    browser.click("#make-face")
    browser.see(FORM, "20 credits are held now")
    page.get_by_label("Another person's").check()
    page.locator(f"{FORM} .actions .primary").click()
    browser.see(f"{FORM} .wrong", "Send or choose a file.")
    assert findings(page, "dialog[open]") == []
    assert page.locator("dialog[open]").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")

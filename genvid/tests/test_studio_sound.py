"""Hearing a script, pictures that speak, and own recordings in the studio: what is heard, and what it costs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.storage import default_storage
from playwright.sync_api import Page, expect

from billing.models import Tier
from genvid.tests import factories
from genvid.tests.browser import PATIENCE_MS, Browser, chromium, rows
from genvid.tests.factories import Person, make_avatar, make_speech, make_voice, set_balance
from genvid.tests.media_files import picture, wav
from genvid.tests.studio import broken_scripts, findings, open_studio, until
from genvid.tests.uploads import make_upload
from videos.enums import SpeechStatus
from videos.models import Speech, Video

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]
SCRIPT = "Hello from the studio."
RECORDED = {"kind": "audio", "filename": "voice.wav", "content_type": "audio/wav", "width": None, "height": None}


@pytest.fixture
def customer(browser_site: str, owner: Person, avatar: Any) -> Person:
    set_balance(owner, 500)
    return owner


@pytest.fixture
def browser(browser_site: str, customer: Person) -> Iterator[Browser]:
    with Browser() as window:
        yield window


def spoken(customer: Person, voice: Any, **fields: Any) -> None:
    """With sound that a browser can play."""
    speech = make_speech(customer, script=SCRIPT, voice_id=voice.pk, **fields)
    with default_storage.open(speech.audio.file.name, "wb") as stored:
        stored.write(wav())


def heard(browser: Browser, browser_site: str, customer: Person, voice: Any, **speech: Any) -> Page:
    """The studio, after somebody has listened to SCRIPT, which the voice has spoken."""
    rows(spoken, customer, voice, **speech)
    page = open_studio(browser, browser_site, customer)
    expect(page.locator("#voice")).to_have_value(str(voice.pk), timeout=PATIENCE_MS)
    browser.write("#script", SCRIPT)
    browser.click("#listen")
    browser.see("#heard-facts", "long.")
    return page


def end_speech(status: str = SpeechStatus.READY) -> None:
    factories._end_speech(Speech.objects.get(), status, seconds="2.500")


def test_a_script_is_heard_and_rendered_at_the_final_price(browser, browser_site, customer, voice):
    page = heard(browser, browser_site, customer, voice, seconds="61.000")
    browser.see("#heard-facts", "1 min 01 s long. Hearing it cost nothing.")
    browser.see("#quote", "1 min 01 s · exactly")
    price = page.locator("#generate").inner_text().removeprefix("Generate for ")
    browser.see("#heard-price", f"The video costs exactly {price}.")
    audio = page.locator("#speech")
    expect(audio).to_be_visible()
    until(lambda: audio.evaluate("audio => audio.played.length"))

    browser.click("#generate[aria-disabled=false]")
    browser.see("#stage h2", SCRIPT)
    video, speech = rows(Video.objects.get), rows(Speech.objects.get)
    assert (video.speech_id, f"{video.credits_held} credits") == (speech.pk, price)
    assert broken_scripts(browser) == []


def test_a_changed_script_or_voice_is_an_estimate_again_until_it_is_as_it_was_heard(
    browser, browser_site, customer, voice
):
    other = rows(make_voice, name="Zoe")
    page = heard(browser, browser_site, customer, voice)
    generate = page.locator("#generate[aria-disabled=false]")
    expect(generate).to_contain_text("Generate for")
    browser.write("#script", f"{SCRIPT} More.")
    browser.see("#heard-facts", "listen again to know the final price")
    expect(generate).to_have_text("Generate video", timeout=PATIENCE_MS)
    browser.see("#quote", "About")
    assert page.locator("#speech").is_hidden()

    browser.write("#script", SCRIPT)
    expect(generate).to_contain_text("Generate for", timeout=PATIENCE_MS)
    page.select_option("#voice", str(other.pk))
    expect(generate).to_have_text("Generate video", timeout=PATIENCE_MS)
    generate.click()
    browser.see("#stage h2", SCRIPT)
    assert (rows(Video.objects.get).speech_id, rows(Video.objects.get).voice_id) == (None, other.pk)


def test_a_speech_that_takes_long_is_waited_for(browser, browser_site, customer, voice, settings):
    settings.SPEECH_WAIT_SECONDS = 0
    page = open_studio(browser, browser_site, customer)
    browser.write("#script", SCRIPT)
    page.locator("#listen").focus()
    page.keyboard.press("Enter")
    browser.see("#listen", "Being spoken…")
    until(lambda: rows(Speech.objects.exists))
    rows(end_speech)
    browser.see("#heard-facts", "long. Hearing it cost nothing.")
    expect(page.locator("#listen")).to_have_text("Listen")
    expect(page.locator("#listen")).to_be_focused()


def test_what_hearing_cost_beyond_the_free_seconds_is_told(browser, browser_site, customer, voice):
    page = heard(browser, browser_site, customer, voice, credits_charged=2)
    expect(page.locator("#heard-facts")).to_contain_text(
        "Hearing it cost 2 credits: the free seconds of today are used up."
    )


def test_the_free_seconds_that_are_left_today_stand_beside_listen_with_the_price_beyond(
    browser, browser_site, customer, voice
):
    page = open_studio(browser, browser_site, customer)
    browser.see("#allowance", "1 min 00 s of 1 min 00 s are free today, then 1 credit for each begun minute.")
    assert page.locator("#listen").get_attribute("aria-describedby") == "allowance"
    rows(spoken, customer, voice, seconds="12.500", free_seconds=12.5)
    browser.write("#script", SCRIPT)
    browser.click("#listen")
    browser.see("#allowance", "47 s of 1 min 00 s are free today, then 1 credit for each begun minute.")


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (2, r"The free 2 s of today are used up until \d.*: 1 credit for each begun minute\."),
        (0, r"Hearing it costs 1 credit for each begun minute\."),
    ],
)
def test_without_free_seconds_the_price_of_listening_is_told_beforehand(
    browser, browser_site, customer, voice, free, words
):
    rows(Tier.objects.update, free_speech_seconds=free)
    rows(spoken, customer, voice, seconds="2.500", free_seconds=free)
    page = open_studio(browser, browser_site, customer)
    expect(page.locator("#allowance")).to_have_text(re.compile(f"^{words}$"), timeout=PATIENCE_MS)


def test_the_free_seconds_of_one_account_are_not_shown_to_the_next(browser, browser_site, customer):
    page = open_studio(browser, browser_site, customer)
    browser.see("#allowance", "free today")
    browser.click("#sign-out")
    expect(page.locator("#allowance")).to_be_empty()


def test_a_script_that_cannot_be_spoken_says_why(browser, browser_site, customer, voice, settings):
    settings.SPEECH_WAIT_SECONDS = 0
    page = open_studio(browser, browser_site, customer)
    browser.write("#script", SCRIPT)
    browser.click("#listen")
    until(lambda: rows(Speech.objects.exists))
    rows(end_speech, SpeechStatus.FAILED)
    browser.see("#listen-problem", "It cannot be spoken.")
    assert page.locator("#heard").is_hidden()


def test_a_refused_script_is_refused_beside_its_field(browser, browser_site, customer, voice):
    open_studio(browser, browser_site, customer)
    browser.write("#script", "Hello <b>you</b>.")
    browser.click("#listen")
    browser.see("[data-field=script] .wrong", "tag")
    assert rows(Speech.objects.count) == 0


def test_an_expired_speech_is_forgotten_and_the_script_stays(browser, browser_site, customer, voice):
    page = heard(browser, browser_site, customer, voice)
    expect(page.locator("#generate")).to_contain_text("Generate for", timeout=PATIENCE_MS)
    rows(lambda: Speech.objects.update(expires_at=Speech.objects.get().created_at))
    page.locator("[name=captions]").check()
    expect(page.locator("#generate[aria-disabled=false]")).to_have_text("Generate video", timeout=PATIENCE_MS)
    assert (page.locator("#heard").is_hidden(), page.input_value("#script")) == (True, SCRIPT)


def test_an_own_recording_is_rendered_at_its_exact_price(browser, browser_site, customer):
    upload = rows(make_upload, customer, wav(3), duration_seconds=3, **RECORDED)
    page = open_studio(browser, browser_site, customer)
    page.locator("#sounds span:text-is('Own recording')").click()
    browser.see("#quote", "Choose a recording to see its price.")
    assert (page.locator("#voice-step").is_hidden(), page.locator("#script").is_hidden()) == (True, True)
    page.locator("#recording-picker input[type=radio] + span").click()
    page.locator("#recording-picker audio[src]").wait_for()
    browser.see("#quote", "3 s · exactly")
    expect(page.locator("#generate[aria-disabled=false]")).to_contain_text("Generate for", timeout=PATIENCE_MS)
    price = page.locator("#generate").inner_text().removeprefix("Generate for ")
    browser.click("#generate")
    browser.see("#stage h2", "Own recording")
    browser.see(f"#files [data-id='{upload.pk}']", "in use")
    video = rows(Video.objects.get)
    assert (video.audio_id, video.script, f"{video.credits_held} credits") == (upload.pk, None, price)
    assert page.locator("text=Use this script").count() == 0
    assert broken_scripts(browser) == []


def test_a_picture_speaks_a_script_with_the_chosen_voice(browser, browser_site, customer, voice):
    upload = rows(make_upload, customer, picture())
    page = open_studio(browser, browser_site, customer)
    page.locator("#sources span:text-is('A picture')").click()
    browser.see("#quote", "Choose a picture.")
    page.locator("#picture-picker input[type=radio]").focus()
    page.keyboard.press("Space")
    browser.write("#script", SCRIPT)
    browser.click("#generate[aria-disabled=false]")
    browser.see("#facts", "A picture of yours")
    video = rows(Video.objects.get)
    assert (video.kind, video.picture_id, video.voice_id) == ("picture", upload.pk, voice.pk)


def test_another_source_brings_its_own_voice_and_the_first_choice_comes_back(browser, browser_site, customer, avatar):
    own = rows(make_avatar, name="Grace for us", account=customer.account, is_released=True)
    page = open_studio(browser, browser_site, customer)
    expect(page.locator("#voice")).to_have_value(str(avatar.default_voice_id), timeout=PATIENCE_MS)
    page.locator("#sources span:text-is('Mine')").click()
    page.locator("#own-presenters input + span").click()
    expect(page.locator("#voice")).to_have_value(str(own.default_voice_id))
    assert page.locator("#own-presenters button").count() == 0
    page.locator("#sources span:text-is('Catalogue')").click()
    expect(page.locator("#voice")).to_have_value(str(avatar.default_voice_id))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_no_problem_with_a_script_that_was_heard(browser, browser_site, customer, voice, scheme, width):
    browser.page.set_viewport_size({"width": width, "height": 900})
    browser.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page = heard(browser, browser_site, customer, voice)
    expect(page.locator("#generate[aria-disabled=false]")).to_contain_text("Generate for", timeout=PATIENCE_MS)
    assert findings(page) == []
    browser.write("#script", "Hello <b>you</b>.")
    browser.see("[data-field=script] .wrong", "tag")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

"""Warnings of quotes and new videos about a script and its voice."""

from typing import Any

import pytest

from genvid.tests.asserts import data_of, nothing_changes, queries_of, wrong_fields_of
from genvid.tests.factories import make_avatar, make_caller, make_video, make_voice
from videos.models import Video
from videos.speech.warnings import foreign_writing

pytestmark = pytest.mark.django_db
VIDEOS, QUOTE, BATCHES = "/api/v1/videos", "/api/v1/videos/quote", "/api/v1/batches"
ARABIC = "مرحبا بكم في عرضنا الربيعي"
MISMATCH = {
    "code": "voice_script_mismatch",
    "message": "This voice speaks English, and the script has Arabic letters: it may spell or skip them.",
    "field": "voice_id",
}


@pytest.fixture
def rich() -> Any:
    return make_caller(balance=5000)


def payload_for(script: str, language: str = "English", **more: Any) -> dict[str, Any]:
    avatar = make_avatar(default_voice=make_voice(language=language))
    return {"script": script, "avatar_id": str(avatar.pk)} | more


def codes(data: Any) -> list[str]:
    return [warned["code"] for warned in data["warnings"]]


@pytest.mark.parametrize(
    ("script", "language", "written"),
    [
        (ARABIC, "English", "Arabic letters"),
        (ARABIC, "Persian", ""),
        ("Привет, мир", "English", "Cyrillic letters"),
        ("Привет, мир", "Ukrainian", ""),
        ("欢迎来到我们的春季促销活动。", "English (US)", "Chinese characters"),
        ("欢迎来到我们的春季促销活动。", "Chinese (Mandarin)", ""),
        ("はるの セールへ ようこそ。", "Chinese", "kana"),
        ("はるの セールへ ようこそ。", "Japanese", ""),
        ("हमारी वसंत सेल", "German", "Devanagari letters"),
        ("봄 세일에 오신 것을 환영합니다", "French", "Hangul letters"),
        ("ยินดีต้อนรับ", "English", "Thai letters"),
        ("Γεια σας", "English", "Greek letters"),
        ("𐎀𐎁𐎂𐎃", "English", "letters of another script"),
        ("Chào mừng quý khách đến với đợt giảm giá", "English", "Vietnamese letters"),
        ("Chào mừng quý khách đến với đợt giảm giá", "Vietnamese", ""),
        ("Welcome to our spring sale.", "Arabic", "mostly Latin letters"),
        ("Welcome to our spring sale.", "Hindi", "mostly Latin letters"),
        ("Willkommen, schöne Grüße", "English", ""),
        (ARABIC, "Multilingual", ""),
        (ARABIC, "Klingon", ""),
        ("Welcome " * 20 + "π", "English", ""),
        ("Welcome to our sale " + ARABIC, "English", "Arabic letters"),
        ("आज iPhone सस्ता है, दुकान पर आइए", "Hindi", ""),
        ("1984!", "Arabic", ""),
        ('Hi <break time="1s"/>', "English", ""),
    ],
)
def test_text_that_a_voice_does_not_read_has_a_warning(script, language, written):
    assert foreign_writing(script, language) == written


def test_quote_and_new_video_have_the_same_warnings(rich):
    payload = payload_for(ARABIC)
    quote = data_of(rich.client.post(QUOTE, payload))
    assert quote["warnings"][0] == MISMATCH
    assert codes(quote) == ["voice_script_mismatch", "uncertain_length"]
    created = data_of(rich.client.post(VIDEOS, payload), 201)
    assert created["warnings"] == quote["warnings"]
    assert created["credits"]["held"] == quote["credits"]


def test_the_video_keeps_its_warnings_in_every_answer(rich):
    video = data_of(rich.client.post(VIDEOS, payload_for(ARABIC)), 201)
    assert data_of(rich.client.get(f"{VIDEOS}/{video['id']}"))["warnings"] == video["warnings"]
    assert data_of(rich.client.get(VIDEOS))[0]["warnings"] == video["warnings"]


@pytest.mark.parametrize("script", ["Hello and welcome to our spring sale.", "Meet us at 10:45 in room 12."])
def test_an_ordinary_script_has_no_warnings(owner, script):
    payload = payload_for(script)
    assert data_of(owner.client.post(QUOTE, payload))["warnings"] == []
    assert data_of(owner.client.post(VIDEOS, payload), 201)["warnings"] == []


def test_a_script_that_may_become_much_longer_has_a_warning_with_its_bound(rich):
    (warned,) = data_of(rich.client.post(QUOTE, payload_for("a" * 400)))["warnings"]
    assert (warned["code"], warned["field"]) == ("uncertain_length", "script")
    assert "for up to 59 seconds" in warned["message"]


def test_a_language_that_the_voice_does_not_speak_is_still_refused(owner):
    payload = payload_for(ARABIC) | {"language": "ar"}
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(VIDEOS, payload)) == ["voice_id"]


def test_a_language_that_the_voice_speaks_does_not_hide_the_warning(rich):
    assert (
        codes(data_of(rich.client.post(QUOTE, payload_for(ARABIC) | {"language": "en"})))[0] == "voice_script_mismatch"
    )


def test_a_changed_draft_gets_new_warnings(owner):
    draft = make_video(owner, "draft")
    path = f"{VIDEOS}/{draft.pk}"
    assert codes(data_of(owner.client.patch(path, {"script": ARABIC})))[0] == "voice_script_mismatch"
    assert data_of(owner.client.patch(path, {"title": "Spring"}))["warnings"] != []
    assert data_of(owner.client.patch(path, {"script": "Hello."}))["warnings"] == []


def test_a_video_from_before_there_were_warnings_has_none(owner):
    video = make_video(owner, warnings=None)
    assert data_of(owner.client.get(f"{VIDEOS}/{video.pk}"))["warnings"] == []


def test_a_batch_has_warnings_row_by_row_and_its_quote_counts_them(rich):
    payload = payload_for("Hello {{name}}") | {"rows": [{"name": "Ada"}, {"name": ARABIC}, {"name": ARABIC}]}
    quote = data_of(rich.client.post(f"{BATCHES}/quote", payload))
    assert quote["warnings"][0] == MISMATCH | {"message": f"In 2 of 3 rows: {MISMATCH['message']}"}
    data_of(rich.client.post(BATCHES, payload), 201)
    first, second, third = Video.objects.order_by("batch_row")
    assert first.warnings == []
    assert second.warnings[0] == third.warnings[0] == MISMATCH


def test_warnings_take_no_queries(rich):
    plain, warned = payload_for("Hello and welcome."), payload_for(ARABIC)
    rich.client.post(QUOTE, plain)
    assert queries_of(lambda: rich.client.post(QUOTE, plain)) == queries_of(lambda: rich.client.post(QUOTE, warned))

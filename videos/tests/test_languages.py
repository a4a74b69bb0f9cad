"""Language codes of clients, and HeyGen's names for the languages of its voices."""

import pytest

from videos.speech.languages import language_name, locale_of, voice_speaks


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("English", "english"),
        ("ENGLISH", "english"),
        (" english ", "english"),
        ("en", "english"),
        ("EN", "english"),
        ("en-US", "english"),
        ("de", "german"),
        ("de-AT", "german"),
        ("fr-CA", "french"),
        ("pt", "portuguese"),
        ("ja", "japanese"),
        ("Norwegian", "norwegian"),
    ],
)
def test_a_language_has_a_name(given, name):
    assert language_name(given) == name


@pytest.mark.parametrize("given", ["", " ", "e", "xx", "xx-XX", "Klingon", "en_US", "en-", "-en", "1", "en-US-", "İ"])
def test_text_that_is_no_language_code_has_no_language_name(given):
    assert language_name(given) is None


@pytest.mark.parametrize(
    ("given", "name"),
    [("en-GB", "english"), ("en-AU", "english"), ("pt-BR", "portuguese"), ("es-MX", "spanish"), ("es-AR", "spanish")],
)
def test_a_regional_code_has_the_name_of_its_language(given, name):
    assert language_name(given) == name


@pytest.mark.parametrize(
    ("voice", "given"),
    [
        ("English", "English"),
        ("English", "en"),
        ("English", "en-US"),
        ("English (US)", "en"),
        ("English (US)", "english"),
        ("German", "de-AT"),
        ("Multilingual", "de"),
        ("Multilingual", "Klingon"),
        ("Filipino", "Filipino"),
        ("Filipino", " filipino "),
        ("Chinese", "Chinese"),
    ],
)
def test_a_voice_speaks_its_language(voice, given):
    assert voice_speaks(voice, given) is True


@pytest.mark.parametrize(
    ("voice", "given"),
    [("English", "de"), ("English", "German"), ("German", "en-US"), ("English", "xx"), ("Old English", "en")],
)
def test_a_voice_does_not_speak_another_language(voice, given):
    assert voice_speaks(voice, given) is False


@pytest.mark.parametrize(
    ("voice", "given"),
    [("Chinese", "zh"), ("Chinese", "zh-CN"), ("English", "en-GB"), ("Portuguese", "pt-BR"), ("Filipino", "fil")],
)
def test_a_voice_speaks_the_codes_of_its_language(voice, given):
    assert voice_speaks(voice, given) is True


@pytest.mark.parametrize("given", ["e", "eng", "Englis", ""])
def test_a_voice_does_not_match_the_beginning_of_a_language_name(given):
    assert voice_speaks("English", given) is False


@pytest.mark.parametrize(
    ("given", "locale"),
    [("en-US", "en-US"), ("fil-PH", "fil-PH"), ("en", None), ("en-us", None), ("English", None), ("en-US-x", None)],
)
def test_only_a_language_with_its_region_is_a_locale(given, locale):
    assert locale_of(given) == locale

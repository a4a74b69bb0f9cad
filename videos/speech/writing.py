"""Writing systems: of scripts, and those that a voice of a language can read."""

from collections import Counter
from collections.abc import Set

import regex

from videos.speech.languages import language_name

LATIN, CYRILLIC, GREEK = "latin", "cyrillic", "greek"
ARABIC, HEBREW, DEVANAGARI = "arabic", "hebrew", "devanagari"
HAN, KANA, HANGUL = "chinese characters", "kana", "hangul"
OTHER = "another script"
VIETNAMESE = "vietnamese"
VIETNAMESE_LETTER = regex.compile("[\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]")
"""Latin letters with two accents, which voices of other languages name or skip."""

_INDIC = ("bengali", "gurmukhi", "gujarati", "oriya", "tamil", "telugu", "kannada", "malayalam", "sinhala")
_OTHERS = ("thai", "lao", "khmer", "myanmar", "tibetan", "georgian", "armenian", "ethiopic")
CLASSES = {
    LATIN: r"\p{Latin}",
    CYRILLIC: r"\p{Cyrillic}",
    GREEK: r"\p{Greek}",
    ARABIC: r"\p{Arabic}",
    HEBREW: r"\p{Hebrew}",
    HAN: r"\p{Han}\u3005",
    KANA: r"\p{Hiragana}\p{Katakana}\u30fc",
    HANGUL: r"\p{Hangul}",
    DEVANAGARI: r"\p{Devanagari}",
    **{name: rf"\p{{{name.title()}}}" for name in (*_INDIC, *_OTHERS)},
}

_LANGUAGES = {
    (ARABIC,): "arabic,persian,urdu,pashto,sindhi,uyghur,central kurdish",
    (CYRILLIC,): "russian,ukrainian,bulgarian,belarusian,macedonian,kazakh,kyrgyz,tajik,mongolian",
    (CYRILLIC, LATIN): "serbian,uzbek,bosnian,azerbaijani,turkmen",
    (ARABIC, LATIN): "kurdish",
    (DEVANAGARI,): "hindi,marathi,nepali,sanskrit",
    (HAN,): "chinese,mandarin,cantonese",
    (HAN, KANA): "japanese",
    (HAN, HANGUL): "korean",
    (HEBREW,): "hebrew,yiddish",
    (GREEK,): "greek",
    ("bengali",): "bengali,bangla,assamese",
    ("gurmukhi", ARABIC): "punjabi",
    ("gujarati",): "gujarati",
    ("oriya",): "odia,oriya",
    ("tamil",): "tamil",
    ("telugu",): "telugu",
    ("kannada",): "kannada",
    ("malayalam",): "malayalam",
    ("sinhala",): "sinhala,sinhalese",
    ("thai",): "thai",
    ("lao",): "lao",
    ("khmer",): "khmer",
    ("myanmar",): "burmese,myanmar",
    ("tibetan",): "tibetan",
    ("georgian",): "georgian",
    ("armenian",): "armenian",
    ("ethiopic",): "amharic,tigrinya",
    (LATIN,): "filipino,tagalog,malay,javanese,sundanese,zulu,xhosa,somali,hausa,maltese",
}
READ_BY = {name: frozenset(scripts) for scripts, names in _LANGUAGES.items() for name in names.split(",")}
"""What a voice of each language reads. Other named languages (`language_name`) use Latin letters."""

_GROUPS = {f"s{number}": name for number, name in enumerate(CLASSES)}
_CHARACTER = regex.compile(
    "|".join(f"(?P<{group}>[{CLASSES[name]}])" for group, name in _GROUPS.items()) + r"|(?P<other>\p{L})"
)


def name_of(voice_language: str) -> str | None:
    """The voice's language, lower-case and without region; None for "Multilingual"."""
    main = voice_language.partition("(")[0].partition(",")[0].strip().lower()
    return main if main in READ_BY else language_name(main)


def scripts_of(voice_language: str) -> Set[str] | None:
    """The writing systems of a voice's language; None where unknown ("Multilingual")."""
    name = name_of(voice_language)
    return None if name is None else READ_BY.get(name, frozenset({LATIN}))


def letters_by_script(text: str) -> Counter[str]:
    return Counter(_GROUPS.get(match.lastgroup or "", OTHER) for match in _CHARACTER.finditer(text))

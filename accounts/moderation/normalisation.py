"""Texts in the form in which rules are compared with them: what looks or reads alike becomes alike."""

import unicodedata

import regex

INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
"""Zero-width and bidirectional controls, soft hyphens, variation selectors, fillers."""
OVERLAYS = regex.compile(
    r"[\u0300-\u036F\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F"
    r"\u0640\u064B-\u065F\u0670\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7]+"
)
"""Combining marks that make no letter of their own, and the optional vowel points of Arabic and Hebrew. Marks of Indic
and Southeast Asian scripts are not among them: there they are the vowels."""
SPACES = regex.compile(r"\s+")
WORD = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}]+")
LATIN, NOT_LATIN = regex.compile(r"\p{Latin}"), regex.compile(r"[\p{Cyrillic}\p{Greek}]")
LOOKALIKES = str.maketrans(
    "авеёкмнорстухіїјѕһԁԛԝӏьпгαβγεηικνορτυχωϲϳ",
    "abeekmhopctyxiijshdqwlbnrabyenikvoptuxwcj",
)
"""Cyrillic and Greek small letters by the Latin ones that they are taken for."""
WORD_WITH_SIGNS = regex.compile(r"[\p{Latin}0134578@$]+")
SIGNS = str.maketrans("0134578@$", "oieastbas")


def plain(text: str) -> str:
    """NFKC and small letters, without invisible characters and overlaid marks; runs of white space become a space.

    A word of Latin and of Cyrillic or Greek letters becomes Latin: nobody writes such a word but to deceive.
    """
    # Invisible characters first: without them a letter and its mark compose.
    visible = INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    folded = unicodedata.normalize("NFKC", visible.casefold())
    return SPACES.sub(" ", WORD.sub(_in_one_script, OVERLAYS.sub("", folded))).strip()


def bare(text: str) -> str:
    """`plain`, and besides without accents, all lookalikes as Latin letters, and digits and signs in a Latin word as
    the letters that they stand for.

    It makes different words alike ("año" and "ano"), so it is for accounts that are checked strictly.
    """
    unmarked = OVERLAYS.sub("", unicodedata.normalize("NFD", plain(text))).translate(LOOKALIKES)
    return unicodedata.normalize("NFC", WORD_WITH_SIGNS.sub(_without_signs, unmarked))


def _in_one_script(word: "regex.Match[str]") -> str:
    is_mixed = LATIN.search(word[0]) and NOT_LATIN.search(word[0])
    return word[0].translate(LOOKALIKES) if is_mixed else word[0]


def _without_signs(word: "regex.Match[str]") -> str:
    return word[0].translate(SIGNS) if LATIN.search(word[0]) else word[0]

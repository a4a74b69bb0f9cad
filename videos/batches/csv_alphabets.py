"""Data for ranking encodings: which characters are expected in texts of each encoding."""
# ruff: noqa: RUF001 - letters that look alike are the data here

from dataclasses import dataclass

CODECS = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-32le": "utf-32-le",
    "utf-32be": "utf-32-be",
    "windows-1252": "cp1252",
    "macintosh": "mac_roman",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "windows-1255": "cp1255",
    "windows-1256": "cp1256",
    "windows-1257": "cp1257",
    "windows-1258": "cp1258",
    "windows-874": "cp874",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "big5": "cp950",
    "gb18030": "gb18030",
    "ibm437": "cp437",
    "ibm850": "cp850",
    "iso-8859-1": "latin_1",
    "iso-8859-2": "iso8859_2",
    "iso-8859-15": "iso8859_15",
    "koi8-r": "koi8_r",
}

ALIASES = {
    "utf-8-sig": "utf-8",
    "shift_jis": "shift_jis",
    "euc_kr": "euc-kr",
    "big5": "big5",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
"""Codecs by Python's name that are subsets of the ones above, and the encoding they count as."""

CANDIDATES = (
    "windows-1252",
    "windows-1250",
    "windows-1254",
    "windows-1251",
    "windows-1253",
    "shift_jis",
    "euc-kr",
    "big5",
    "gb18030",
    "windows-1255",
    "windows-1256",
    "windows-874",
    "macintosh",
    "ibm850",
)
"""Encodings that are guessed, in order of preference among equally likely ones."""

SIGNS = "“”‘’„‚–—…€«»‹›¡¿°§£©®™·•´\u00a0"
WIDE_SIGNS = "、。・「」『』（）！？：；，～ー　《》"
WESTERN = ("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "áâãàçéêíóôõúü", "àèéìíòóù", "åäöæøé", "áéëïóöü")
CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž", "äöüß")
TURKISH = ("âçğıîöşûü",)
CYRILLIC = ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя")
GREEK = ("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώ",)
HEBREW = ("אבגדהוזחטיךכלםמןנסעףפץצקרשת",)
ARABIC = ("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ",)
DOUBLE_BYTE = {
    # Ranges of first bytes of the common characters, and the lowest second byte.
    "shift_jis": ((0x82, 0x83), (0x88, 0x98), 0x40),
    "euc-kr": ((0xB0, 0xC8), (0xB0, 0xC8), 0xA1),
    "big5": ((0xA4, 0xC6), (0xA4, 0xC6), 0x40),
    "gb18030": ((0xB0, 0xD7), (0xB0, 0xD7), 0xA1),
}


@dataclass(frozen=True)
class Alphabet:
    codec: str
    languages: tuple[str, ...] = ()
    """The lower-case letters beyond ASCII of each language; none for a double-byte encoding."""
    signs: str = SIGNS
    is_latin: bool = False
    has_capitals: bool = False
    rows: tuple[tuple[int, int], tuple[int, int], int] | None = None

    def expects(self, char: str) -> bool:
        if char in self.signs:
            return True
        if self.rows is None:
            return any((char.lower() in each) or (char == "İ" and "ı" in each) for each in self.languages)
        *ranges, lowest = self.rows
        encoded = char.encode(self.codec)
        return len(encoded) == 2 and encoded[1] >= lowest and any(a <= encoded[0] <= b for a, b in ranges)

    def weight(self, char: str) -> int:
        return len(char.encode(self.codec))

    def language_share(self, letters: set[str]) -> float:
        if not self.languages or not letters:
            return 1.0
        small = {"ı" if letter == "İ" else letter.lower() for letter in letters}
        share = max(sum(letter in language for letter in small) for language in self.languages) / len(small)
        lacks_capitals = self.has_capitals and not any(letter.isupper() for letter in letters)
        return share * 0.9 if lacks_capitals else share


def _thai() -> str:
    return "".join(map(chr, (*range(0x0E01, 0x0E3B), *range(0x0E3F, 0x0E5C))))


ALPHABETS = {
    "windows-1252": Alphabet("cp1252", WESTERN, is_latin=True),
    "macintosh": Alphabet("mac_roman", WESTERN, is_latin=True),
    "ibm850": Alphabet("cp850", WESTERN, is_latin=True),
    "windows-1250": Alphabet("cp1250", CENTRAL, is_latin=True),
    "windows-1254": Alphabet("cp1254", TURKISH, is_latin=True),
    "windows-1251": Alphabet("cp1251", CYRILLIC, SIGNS + "№", has_capitals=True),
    "windows-1253": Alphabet("cp1253", GREEK, has_capitals=True),
    "windows-1255": Alphabet("cp1255", HEBREW, SIGNS + "׳״"),
    "windows-1256": Alphabet("cp1256", ARABIC, SIGNS + "،؛؟\u200c"),
    "windows-874": Alphabet("cp874", (_thai(),)),
} | {name: Alphabet(CODECS[name], signs=WIDE_SIGNS, rows=rows) for name, rows in DOUBLE_BYTE.items()}

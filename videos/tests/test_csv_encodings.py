"""CSV files in the encodings of Excel, Numbers and LibreOffice: detected, named or guessed."""
# ruff: noqa: RUF001 - letters that look alike are the data here

import pytest

from genvid.tests.properties import given, st
from videos.batches.csv_alphabets import CODECS
from videos.batches.csv_encodings import Decoded, UnreadableText, WrongEncoding, canonical_encoding, decode

TEXT = "name;city\r\nZoë;Kraków\r\n"
SAVED = {
    "windows-1252": ["name;score\r\nMüller;12,5\r\n", "nom\r\nFrançoise Lefèvre;l’été\r\n", "x\r\n“Señor” – sí…\r\n"],
    "windows-1250": ["jméno;město\r\nDvořák;Plzeň\r\n", "name\nŁukasz Wójcik\n"],
    "windows-1251": ["имя;город\r\nИван;Москва\r\n", "ПІБ\r\nОлексій;Київ\r\n"],
    "windows-1253": ["όνομα;πόλη\r\nΓιώργος;Αθήνα\r\n"],
    "windows-1254": ["isim;şehir\r\nAyşe Yılmaz;İstanbul\r\n"],
    "windows-1255": ["name\r\nדוד כהן\r\n"],
    "windows-1256": ["name\r\nمحمد\r\n"],
    "windows-874": ["ชื่อ\r\nสมชาย\r\n"],
    "shift_jis": ["name,city\r\n田中太郎,東京\r\n", "氏名\r\n山田 花子\r\n"],
    "euc-kr": ["이름,도시\r\n박영희,서울\r\n"],
    "big5": ["name\r\n陳大文,臺北\r\n"],
    "gb18030": ["name,city\r\n王小明,北京\r\n", "姓名,城市\r\n李雷,上海\r\n"],
    "macintosh": ["name;score\rMüller;12,5\r", "name\nJosé\n"],
    "ibm850": ["name\r\nJosé;Málaga\r\n"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SAVED.items() for text in texts])
def test_the_likeliest_encoding_of_a_csv_is_the_one_it_was_saved_in(name, text):
    decoded = decode(text.encode(CODECS[name]))
    assert (decoded.text, decoded.encoding, decoded.guesses[0].encoding) == (text, name, name)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16be"),
        (TEXT.encode("utf-16-le"), "utf-16le"),
        (TEXT.encode("utf-16-be"), "utf-16be"),
        (b"\xff\xfe\x00\x00" + TEXT.encode("utf-32-le"), "utf-32le"),
        (b"\x00\x00\xfe\xff" + TEXT.encode("utf-32-be"), "utf-32be"),
    ],
)
def test_unicode_encodings_are_detected_without_a_guess(content, encoding):
    assert decode(content) == Decoded(TEXT, encoding)


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("utf-16", b"\xff\xfe" + TEXT.encode("utf-16-le")),
        ("utf-16le", b"\xff\xfe" + TEXT.encode("utf-16-le")),
        ("utf-8", TEXT.encode("utf-8-sig")),
    ],
)
def test_a_byte_order_mark_is_left_out_where_the_encoding_is_named(label, content):
    assert decode(content, label).text == TEXT


def test_a_named_encoding_is_used_and_not_guessed():
    assert decode("Žofie".encode("cp1250"), "windows-1250") == Decoded("Žofie", "windows-1250")


def test_guessed_encodings_that_read_differently_are_named_with_a_sample():
    decoded = decode("nome\r\nJoão\r\n".encode("cp1252"))
    assert decoded.alternatives == "windows-1252 (reads “João”), windows-1250 (reads “Joăo”)"


def test_the_sample_is_a_word_that_the_guessed_encodings_read_differently():
    decoded = decode("név\r\nErdős Pál\r\n".encode("cp1250"))
    assert decoded.alternatives == "windows-1252 (reads “Erdõs”), windows-1250 (reads “Erdős”)"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("UTF8", "utf-8"),
        ("cp1252", "windows-1252"),
        ("Windows-1252", "windows-1252"),
        ("mac-roman", "macintosh"),
        ("sjis", "shift_jis"),
        ("Shift_JIS", "shift_jis"),
        ("cp932", "shift_jis"),
        ("GBK", "gb18030"),
        ("big5", "big5"),
        ("euc-kr", "euc-kr"),
        ("utf-8-sig", "utf-8"),
        ("gb18030", "gb18030"),
        ("latin1", "iso-8859-1"),
        ("rot13", None),
        ("a\x00b", None),
        ("", None),
    ],
)
def test_an_encoding_is_known_by_its_usual_names(label, name):
    assert canonical_encoding(label) == name


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (
            b"\xef\xbb\xbfa",
            "windows-1252",
            "The file begins with the mark of utf-8: give that, or leave `encoding` out.",
        ),
        (b"\xff\xfea\x00", "utf-8", "The file begins with the mark of utf-16le: give that, or leave `encoding` out."),
        (
            b"name\r\nAda\r\nM\xfcller",
            "utf-8",
            "Line 3 is not utf-8: byte 0xfc. It may be windows-1252 (reads “Müller”).",
        ),
    ],
)
def test_a_named_encoding_that_does_not_fit_is_refused_with_a_suggestion(content, encoding, says):
    with pytest.raises(WrongEncoding) as refusal:
        decode(content, encoding)
    assert str(refusal.value) == says


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14", "The file is a workbook (.xlsx, .ods or .numbers), not a CSV."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "The file is a workbook (.xls), not a CSV."),
        (b"%PDF-1.7", "The file is a PDF, not a CSV."),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "The file holds control characters: it is not text."),
        ("Zoë é ü ö ä".encode() + b"\n\xff", "Line 2 is not utf-8: byte 0xff. The rest of the file is."),
        (b"\xef\xbb\xbfname\n\xff", "Line 2 is not utf-8: byte 0xff."),
        (b"\xff\xfea", "Line 1 is not utf-16le: byte 0x61."),
        (b"\x00\x00\x00", "The file holds control characters: it is not text."),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_what_to_do(content, says):
    with pytest.raises(UnreadableText) as refusal:
        decode(content)
    assert str(refusal.value).startswith(says)


@given(st.binary(max_size=300))
def test_random_bytes_are_decoded_or_refused(content):
    try:
        decoded = decode(content)
    except UnreadableText:
        return
    assert decoded.encoding in CODECS


@given(st.binary(max_size=100), st.sampled_from(sorted(CODECS)))
def test_random_bytes_in_a_named_encoding_are_decoded_or_refused(content, encoding):
    try:
        assert decode(content, encoding).encoding in CODECS
    except UnreadableText:
        return

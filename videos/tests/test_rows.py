"""Rows from whatever people save as CSV, and scripts filled from them."""

import csv
import io

import pytest

from genvid.tests.properties import given, st
from videos.rows import WHOLE_ROW, BadTable, BadTemplate, Table, fill, read_csv, read_objects, variables_of

ADA = Table(["name", "city"], [{"name": "Ada", "city": "London"}], [2])
PLAIN = "name,city\nAda,London\n"


def table_of(text: str, encoding: str = "utf-8", most_rows: int = 10) -> Table:
    return read_csv(text.encode(encoding), most_rows=most_rows)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "name,city\r\nAda,London\r\n",
        "name,city\nAda,London",
        "name;city\nAda;London\n",
        "name\tcity\nAda\tLondon\n",
        '"name","city"\n"Ada","London"\n',
        " name , city \n Ada , London \n",
        'name;"city"\n"Ada";London\n\n\n',
    ],
)
def test_it_is_read_however_it_is_written(text):
    assert table_of(text) == ADA


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_it_is_read_in_every_encoding_that_spreadsheets_write(encoding):
    assert table_of(PLAIN.replace("Ada", "Zoë"), encoding).rows == [{"name": "Zoë", "city": "London"}]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_utf_16_are_read(mark):
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert read_csv(mark + PLAIN.encode(encoding), most_rows=1) == ADA


def test_a_quoted_cell_keeps_separators_quotes_and_lines():
    rows = table_of('name,city\n"Ada, ""the"" first\ncountess",London\nBob,Paris\n')
    assert rows.rows[0]["name"] == 'Ada, "the" first\ncountess'
    assert rows.lines == [2, 4]


def test_a_separator_inside_a_quoted_header_does_not_count():
    with pytest.raises(BadTable, match="no column name"):
        table_of('"a;b;c",d\n1,2\n')


def test_blank_lines_are_no_rows_but_count_as_lines():
    assert table_of("name\n\nAda\n\nBob\n").lines == [3, 5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The file is empty: its first line names the columns."),
        ("\n\n", "The file is empty: its first line names the columns."),
        ("name,name\n1,2", "The column name occurs more than once."),
        ("name,\nAda,x", "'' is no column name: letters, digits and _, at most 64, no digit first."),
        ("1st\nAda", "'1st' is no column name: letters, digits and _, at most 64, no digit first."),
        ("name\na\nb\nc", "There are more than 2 rows."),
        ("a\x00b\n1", "The file holds null characters: it is not text."),
        (",".join(f"c{n}" for n in range(51)), "There are more than 50 columns."),
    ],
)
def test_what_cannot_be_read_says_why(text, says):
    with pytest.raises(BadTable) as refusal:
        table_of(text, most_rows=2)
    assert str(refusal.value) == says


def test_a_file_that_is_no_text_is_refused():
    with pytest.raises(BadTable, match="neither UTF-8 nor UTF-16"):
        read_csv(b"\x89PNG\r\n\x1a\n\x00\xff", most_rows=10)


def test_each_row_that_is_wrong_is_named_and_the_rest_is_read():
    table = table_of(f"name,city\nAda\n\nBob,Paris\nCyd,Rome,x\n{'a' * 5001},Oslo")
    assert table.wrong == {
        0: {WHOLE_ROW: "Has 1 cells; the header has 2."},
        2: {WHOLE_ROW: "Has 3 cells; the header has 2."},
        3: {"name": "Is longer than 5000 characters."},
    }
    assert (table.rows[1], table.lines) == ({"name": "Bob", "city": "Paris"}, [2, 4, 5, 6])


def test_a_cell_that_no_reader_holds_is_refused():
    with pytest.raises(BadTable, match="Line 2 cannot be read: field larger than field limit"):
        table_of("name\n" + "a" * 200_000)


def test_a_long_wrong_name_is_not_repeated_whole():
    with pytest.raises(BadTable) as refusal:
        table_of("-" * 100_000)
    assert len(str(refusal.value)) < 200


def test_objects_are_rows_and_their_names_are_the_columns():
    table = read_objects([{"name": "Ada"}, {"city": " Rome ", "name": "=1"}])
    assert table == Table(["name", "city"], [{"name": "Ada"}, {"city": " Rome ", "name": "=1"}], [])


def test_what_is_wrong_with_objects_is_told_of_each():
    table = read_objects([{"name": 1, "city": "Rome"}, "Bob", {"1st": "x"}, {"name": "a\x00"}])
    assert table.wrong == {
        0: {"name": "Must be a text."},
        1: {WHOLE_ROW: "Must be an object of texts."},
        2: {"1st": "Is no column name: letters, digits and _, at most 64, no digit first."},
        3: {"name": "Null characters are not allowed."},
    }


def test_too_many_names_are_refused():
    with pytest.raises(BadTable, match="There are more than 50 columns"):
        read_objects([{f"c{n}": "x"} for n in range(51)])


def test_an_open_quote_is_refused():
    with pytest.raises(BadTable, match="cannot be read"):
        table_of('name\n"Ada')


@given(st.binary(max_size=300))
def test_no_bytes_whatsoever_break_it(content):
    try:
        table = read_csv(content, most_rows=10)
    except BadTable:
        return
    assert all(list(row) == table.columns for row in table.rows)


TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_what_the_csv_library_writes_is_read_back(rows, separator):
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows([("name", "city"), *rows])
    found = table_of(file.getvalue())
    assert [tuple(row.values()) for row in found.rows] == rows


# ── Templates


def test_variables_are_named_once_in_their_order():
    assert variables_of("Hi {{name}}, {{ city }} and {{name}}!") == ["name", "city"]


@pytest.mark.parametrize(
    ("script", "names"), [("Hi {name} } {", []), ("{{{name}}}", ["name"]), ("{{{name}}{", ["name"])]
)
def test_single_braces_are_text(script, names):
    assert variables_of(script) == names


@pytest.mark.parametrize("script", ["Hi {{name", "Hi name}}", "Hi {{ first name }}", "Hi {{}}", "Hi {{1st}}"])
def test_double_braces_that_are_no_variable_are_refused(script):
    with pytest.raises(BadTemplate):
        variables_of(script)


def test_values_go_in_verbatim():
    assert (
        fill("Hi {{ name }}, {{name}}!", {"name": r"{{city}} \1 \g<0>"}) == r"Hi {{city}} \1 \g<0>, {{city}} \1 \g<0>!"
    )

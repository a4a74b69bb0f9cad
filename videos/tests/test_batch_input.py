"""Reading rows from CSV and JSON, and filling scripts from them."""

import csv
import io

import pytest

from genvid.tests.properties import given, st
from videos.batches.batch_input import (
    WHOLE_ROW,
    BadTable,
    BadTemplate,
    Table,
    fill,
    read_csv,
    read_objects,
    variables_of,
)

ADA = (["name", "city"], [{"name": "Ada", "city": "London"}], [2])
PLAIN = "name,city\nAda,London\n"


def table_of(text: str, encoding: str = "utf-8", max_rows: int = 10) -> Table:
    return read_csv(text.encode(encoding), max_rows=max_rows)


def read(table: Table) -> tuple:
    return table.columns, table.rows, table.lines


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
        "name|city\nAda|London\n",
        "name,city\rAda,London\r",
        "name;city;;\nAda;London;;\n",
        "name;city\nAda;London;;\n",
        "\ufeff\ufeffname,city\nAda,London\n",
        "\u200bna\u00adme\u2060,\u00a0city\u200e\nAda,\u00a0London\n",
    ],
)
def test_a_csv_is_read_with_any_separator_line_ending_and_quoting(text):
    table = table_of(text)
    assert (read(table), table.wrong, table.warnings) == (ADA, {}, [])


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
def test_the_line_in_which_excel_names_the_separator_is_no_header_but_counts_as_a_line(line):
    columns, rows, lines = read(table_of(f"{line}\r\nname;city\r\nAda;London\r\n"))
    assert (columns, rows, lines) == (ADA[0], ADA[1], [3])


def test_the_separator_that_excel_names_in_the_first_line_is_used():
    assert read(table_of("sep=^\nname^city\nAda^London\n"))[:2] == ADA[:2]


def test_decimal_commas_leave_the_semicolon_the_separator():
    assert table_of("name;score\nMüller;12,5\n").rows == [{"name": "Müller", "score": "12,5"}]


def test_a_csv_of_one_column_keeps_the_commas_of_its_cells():
    assert table_of("name\nLovelace, Ada\nBob\n").rows == [{"name": "Lovelace, Ada"}, {"name": "Bob"}]


def test_a_comma_in_a_name_of_a_column_is_no_separator_where_the_rows_say_so():
    table = table_of("name;street, number;city, land\nAda;1;Rome\nBob;2;Oslo\n")
    assert table.columns == ["name", "street, number", "city, land"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_is_read_in_every_encoding_that_spreadsheets_write(encoding):
    assert table_of(PLAIN.replace("Ada", "Zoë"), encoding).rows == [{"name": "Zoë", "city": "London"}]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_a_csv_in_either_byte_order_of_utf_16_is_read(mark):
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert read(read_csv(mark + PLAIN.encode(encoding), max_rows=1)) == ADA


def test_a_quoted_cell_keeps_separators_quotes_and_lines():
    rows = table_of('name,city\n"Ada, ""the"" first\ncountess",London\nBob,Paris\n')
    assert rows.rows[0]["name"] == 'Ada, "the" first\ncountess'
    assert rows.lines == [2, 4]


def test_a_separator_inside_a_quoted_header_does_not_count():
    assert table_of('"a;b;c",d\n1,2\n').columns == ["a;b;c", "d"]


def test_blank_csv_lines_are_no_rows_but_count_as_lines():
    assert table_of("name\n\nAda\n\nBob\n").lines == [3, 5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The file is empty: its first line names the columns."),
        ("\n\n", "The file is empty: its first line names the columns."),
        ("name\na\nb\nc", "There are more than 2 rows: split the file."),
        ("a\x00b\n1", "The file holds control characters: it is not text. Save it as “CSV UTF-8” and send that."),
        ("a\x1b$B\n1", "The file holds control characters: it is not text. Save it as “CSV UTF-8” and send that."),
        (
            ",".join(f"c{n}" for n in range(51)),
            "There are more than 50 columns: leave out those that the script does not use.",
        ),
        (
            'name\n"Ada',
            "Line 2 cannot be read: unexpected end of data. A quotation mark inside a quoted cell is written twice.",
        ),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused_with_the_reason(text, says):
    with pytest.raises(BadTable) as refusal:
        table_of(text, max_rows=2)
    assert str(refusal.value) == says


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("name,name\n1,2", ["name", "name (2)"]),
        ("name,,city\nAda,x,Rome", ["name", "city"]),
        ("name,E-mail address,1st\nAda,x,y", ["name", "E-mail address", "1st"]),
        ("имя,都市\nAda,x", ["имя", "都市"]),
        ("  first \t name ,x\nAda,y", ["first name", "x"]),
    ],
)
def test_csv_columns_may_have_any_names(text, columns):
    table = table_of(text)
    assert (table.columns, list(table.rows[0]), table.wrong) == (columns, columns, {})


def test_rows_that_end_early_are_filled_with_a_warning():
    table = table_of("name,city\nAda,London\nBob\n\nCyd\n")
    assert table.rows[1:] == [{"name": "Bob", "city": ""}, {"name": "Cyd", "city": ""}]
    assert table.warnings == [
        {
            "code": "short_rows",
            "message": "Rows that end early were filled with empty cells: lines 3, 5.",
            "field": "rows_file",
        }
    ]


def test_cells_under_a_column_without_a_name_are_left_out_with_a_warning():
    table = table_of("name,,city\nAda,,Rome\nBob,note,Oslo\n")
    assert table.rows == [{"name": "Ada", "city": "Rome"}, {"name": "Bob", "city": "Oslo"}]
    assert table.warnings == [
        {
            "code": "unnamed_columns",
            "message": "Cells under a header without a name were left out: line 3.",
            "field": "rows_file",
        }
    ]


def test_a_csv_warning_names_ten_lines_at_most():
    table = read_csv(("name,city\n" + "Ada\n" * 12).encode(), max_rows=20)
    assert table.warnings[0]["message"].endswith("lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more.")


def test_each_row_that_is_wrong_is_named_and_the_rest_is_read():
    table = table_of(f"name,city\nAda,Rome\n\nBob,Paris\nCyd,Rome,x\n{'a' * 5001},Oslo")
    hint = "A cell that holds a comma stands in quotation marks."
    assert table.wrong == {
        2: {WHOLE_ROW: f"Has 3 cells; the header has 2. {hint}"},
        3: {"name": "Is longer than 5000 characters."},
    }
    assert (table.rows[1], table.lines) == ({"name": "Bob", "city": "Paris"}, [2, 4, 5, 6])


def test_a_cell_longer_than_the_csv_reader_takes_is_refused():
    with pytest.raises(BadTable, match="Line 2 cannot be read: field larger than field limit"):
        table_of("name\n" + "a" * 200_000)


def test_a_long_column_name_is_cut():
    assert table_of("-" * 100_000 + "\nAda").columns == ["-" * 200]


def test_json_objects_become_rows_and_their_names_columns():
    table = read_objects([{"name": "Ada"}, {"city": " Rome ", "name": "=1"}])
    assert table == Table(["name", "city"], [{"name": "Ada"}, {"city": " Rome ", "name": "=1"}], [])


def test_each_wrong_row_object_is_named_with_its_error():
    table = read_objects(
        [{"name": 1, "city": "Rome"}, "Bob", {"1st": "x"}, {"name": "a\x00"}, {"a" * 201: ""}, {" ": ""}]
    )
    assert table.wrong == {
        0: {"name": "Must be a text."},
        1: {WHOLE_ROW: "Must be an object of texts."},
        3: {"name": "Null characters are not allowed."},
        4: {"a" * 80: "The column's name is longer than 200 characters."},
        5: {" ": "A column needs a name."},
    }


def test_too_many_column_names_are_refused():
    with pytest.raises(BadTable, match="There are more than 50 columns"):
        read_objects([{f"c{n}": "x"} for n in range(51)])


@given(st.binary(max_size=300))
def test_random_bytes_as_csv_are_read_or_refused(content):
    try:
        table = read_csv(content, max_rows=10)
    except BadTable:
        return
    assert all(list(row) == table.columns for row in table.rows)


TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_what_the_csv_library_writes_is_read_back(rows, separator):
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows([("name", "city"), *rows])
    found = table_of(file.getvalue())
    assert [tuple(row.values()) for row in found.rows] == rows


# ── Templates


def test_variables_of_a_script_are_listed_once_in_order():
    assert variables_of("Hi {{name}}, {{ city }} and {{name}}!") == ["name", "city"]


@pytest.mark.parametrize(
    ("script", "names"), [("Hi {name} } {", []), ("{{{name}}}", ["name"]), ("{{{name}}{", ["name"])]
)
def test_single_braces_in_a_script_are_text(script, names):
    assert variables_of(script) == names


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("Hi {{name", "{{ near 'Hi {{name' is no variable: write {{name}}."),
        ("Hi name}}", "}} near 'Hi name}}' is no variable: write {{name}}."),
        ("Hi {{ first name }}", "{{first name}} is no variable: %s Write {{first_name}}, and name the column so."),
        ("Hi {{}}", "{{}} is no variable: %s Write {{name}}, and name the column so."),
        ("Hi {{1st}}", "{{1st}} is no variable: %s Write {{_1st}}, and name the column so."),
    ],
)
def test_double_braces_without_a_variable_name_are_refused_with_a_hint(script, says):
    with pytest.raises(BadTemplate) as refusal:
        variables_of(script)
    assert str(refusal.value) == says.replace("%s", "letters, digits and _, at most 64, no digit first.")


def test_variable_names_may_use_any_writing_system():
    script = "Привет {{имя}}, {{ pre\u0301nom }}, {{na\u200bme}}"
    names = variables_of(script)
    assert names == ["имя", "prénom", "name"]
    assert fill(script, dict.fromkeys(names, "x")) == "Привет x, x, x"


def test_values_are_filled_into_a_script_verbatim():
    assert (
        fill("Hi {{ name }}, {{name}}!", {"name": r"{{city}} \1 \g<0>"}) == r"Hi {{city}} \1 \g<0>, {{city}} \1 \g<0>!"
    )

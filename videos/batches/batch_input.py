"""Reads rows of variables from CSV or JSON, and fills the `{{variables}}` of a script. Pure functions."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from videos.batches.columns import MAX_HEADER_LENGTH, as_variable_name, cleaned, is_variable_name, unique_columns
from videos.batches.csv_dialects import Dialect, dialect_of
from videos.batches.csv_encodings import Decoded, UnreadableText, WrongEncoding, decode
from videos.speech.warnings import Warned

MAX_COLUMNS = 50
MAX_CELL_LENGTH = 5000
MAX_SHOWN_NAME = 80
MAX_SHOWN_LINES = 10
WHOLE_ROW = ""
"""Stands for the column where a whole row is wrong."""
VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")
SAMPLE_SIZE = 3

Row = dict[str, str]


class BadTable(Exception):
    """The file cannot be read as rows; the message says why."""


class BadEncoding(BadTable):
    """The file does not fit the given encoding; the message names likely ones."""


class BadTemplate(Exception):
    """The script has braces that are no variable; the message says which."""


@dataclass(frozen=True)
class Table:
    columns: list[str]
    rows: list[Row]
    lines: list[int]
    """The line of the file on which each row begins, from 1; empty for JSON."""
    wrong: dict[int, dict[str, str]] = field(default_factory=dict)
    """By the row's index: column (or `WHOLE_ROW`) to message."""
    repeated: frozenset[str] = frozenset()
    decoded: Decoded | None = None
    warnings: list[Warned] = field(default_factory=list)

    @property
    def is_unreadable(self) -> bool:
        return bool(self.wrong) and not self.columns

    @property
    def source(self) -> str:
        return "rows_file" if self.decoded else "rows"

    @property
    def encoding(self) -> str | None:
        return self.decoded.encoding if self.decoded else None

    @property
    def guesses(self) -> str:
        return self.decoded.alternatives if self.decoded else ""

    @property
    def sample(self) -> list[Row]:
        return self.rows[:SAMPLE_SIZE]


def read_csv(content: bytes, *, max_rows: int, encoding: str | None = None) -> Table:
    """Rows of a CSV as spreadsheets save it. Raises BadTable, and BadEncoding where `encoding` does not fit."""
    try:
        decoded = decode(content, encoding)
    except WrongEncoding as error:
        raise BadEncoding(str(error)) from None
    except UnreadableText as error:
        raise BadTable(str(error)) from None
    return _FileReader(decoded).table(max_rows)


class _FileReader:
    def __init__(self, decoded: Decoded) -> None:
        self.decoded, self.dialect = decoded, dialect_of(decoded.text)
        self.records = _records(decoded.text, self.dialect)
        _, self.header = next(self.records, (0, []))
        self.columns, self.repeated = _checked_header(self.header)
        self.nameless = set(range(len(self.header))) - {index for index, _ in self.columns}
        self.short_lines, self.nameless_lines = list[int](), list[int]()

    def table(self, max_rows: int) -> Table:
        table = Table([name for _, name in self.columns], [], [], repeated=self.repeated, decoded=self.decoded)
        for line, cells in self.records:
            if len(table.rows) == max_rows:
                raise BadTable(f"There are more than {max_rows} rows: split the file.")
            # A row with too many cells is reported as wrong, so cutting it does no harm.
            row = {name: cells[index] if index < len(cells) else "" for index, name in self.columns}
            if wrong := self._wrong(cells, row):
                table.wrong[len(table.rows)] = wrong
            table.rows.append(row)
            table.lines.append(line)
            self._note_oddities(line, cells)
        table.warnings.extend(self._warnings())
        return table

    def _wrong(self, cells: list[str], row: Row) -> dict[str, str]:
        if any(cells[len(self.header) :]):
            separator = self.dialect.separator_name
            hint = f"A cell that holds a {separator} stands in quotation marks."
            return {WHOLE_ROW: f"Has {len(cells)} cells; the header has {len(self.header)}. {hint}"}
        return {name[:MAX_SHOWN_NAME]: problem for name, value in row.items() if (problem := wrong_value(value))}

    def _note_oddities(self, line: int, cells: list[str]) -> None:
        # Excel leaves out the separators of empty cells at the end of a row.
        if len(cells) <= max(index for index, _ in self.columns):
            self.short_lines.append(line)
        if any(cell and index in self.nameless for index, cell in enumerate(cells)):
            self.nameless_lines.append(line)

    def _warnings(self) -> Iterator[Warned]:
        if guesses := self.decoded.guesses:
            text = f"The file does not say its encoding; it was read as {guesses[0].encoding}. Look at `sample`, and "
            text += f"send `encoding` when you create the batch. Likely: {self.decoded.alternatives}."
            yield Warned(code="encoding_guessed", message=text, field="encoding")
        if self.short_lines:
            text = f"Rows that end early were filled with empty cells: {_lines(self.short_lines)}."
            yield Warned(code="short_rows", message=text, field="rows_file")
        if self.nameless_lines:
            text = f"Cells under a header without a name were left out: {_lines(self.nameless_lines)}."
            yield Warned(code="unnamed_columns", message=text, field="rows_file")


def _lines(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:MAX_SHOWN_LINES]))
    word = "line" if len(numbers) == 1 else "lines"
    return f"{word} {shown}" + (f" and {len(numbers) - MAX_SHOWN_LINES} more" if len(numbers) > MAX_SHOWN_LINES else "")


def wrong_value(value: str) -> str:
    if "\x00" in value:
        return "Null characters are not allowed."
    return f"Is longer than {MAX_CELL_LENGTH} characters." if len(value) > MAX_CELL_LENGTH else ""


def _records(text: str, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text[dialect.begins :], newline=""), delimiter=dialect.separator, strict=True)
    begins = dialect.lines_before + 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield begins, stripped
            begins = dialect.lines_before + reader.line_num + 1
    except csv.Error as error:
        line = dialect.lines_before + reader.line_num
        raise BadTable(
            f"Line {line} cannot be read: {error}. A quotation mark inside a quoted cell is written twice."
        ) from None


def _checked_header(cells: list[str]) -> tuple[list[tuple[int, str]], frozenset[str]]:
    columns, repeated = unique_columns(cells)
    if not columns:
        raise BadTable("The file is empty: its first line names the columns.")
    if len(columns) > MAX_COLUMNS:
        raise BadTable(f"There are more than {MAX_COLUMNS} columns: leave out those that the script does not use.")
    return columns, repeated


def read_objects(given: list[object]) -> Table:
    """Raises BadTable."""
    read = [_read_row(row) for row in given]
    rows, wrong = [row for row, _ in read], {index: each for index, (_, each) in enumerate(read) if each}
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if len(columns) > MAX_COLUMNS:
        raise BadTable(f"There are more than {MAX_COLUMNS} columns: leave out those that the script does not use.")
    return Table(columns, rows, [], wrong)


def _read_row(row: object) -> tuple[Row, dict[str, str]]:
    if not isinstance(row, dict):
        return {}, {WHOLE_ROW: "Must be an object of texts."}
    wrong = {name[:MAX_SHOWN_NAME]: problem for name, value in row.items() if (problem := _wrong_pair(name, value))}
    return {name: value if isinstance(value, str) else "" for name, value in row.items()}, wrong


def _wrong_pair(name: str, value: object) -> str:
    if not cleaned(name):
        return "A column needs a name."
    if len(name) > MAX_HEADER_LENGTH:
        return f"The column's name is longer than {MAX_HEADER_LENGTH} characters."
    if "\x00" in name:
        return "Null characters are not allowed."
    return wrong_value(value) if isinstance(value, str) else "Must be a text."


def variables_of(template: str) -> list[str]:
    """The variable names in order of first use. Raises BadTemplate for braces that are no variable."""
    names = [cleaned(found) for found in VARIABLE.findall(template)]
    wrong = next((name for name in names if not is_variable_name(name)), None)
    if wrong is not None:
        shown = wrong[:MAX_SHOWN_NAME]
        raise BadTemplate(
            f"{{{{{shown}}}}} is no variable: letters, digits and _, at most 64, no digit first. "
            f"Write {{{{{as_variable_name(shown) if shown else 'name'}}}}}, and name the column so."
        )
    rest = VARIABLE.sub(" ", template)
    for braces in ("{{", "}}"):
        if braces in rest:
            near = rest[max(0, rest.index(braces) - 10) :][:30]
            raise BadTemplate(f"{braces} near {near!r} is no variable: write {{{{name}}}}.")
    return list(dict.fromkeys(names))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Insert the values verbatim: braces inside a value stay text."""
    return VARIABLE.sub(lambda match: values[cleaned(match[1])], template)

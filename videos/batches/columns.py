"""Matches column names, as people write them, to the variables of a script."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache

MAX_NAME_LENGTH = 64
MAX_HEADER_LENGTH = 200
MAX_SHOWN_COLUMNS = 10


@lru_cache(maxsize=1024)
def cleaned(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    visible = "".join(char for char in composed if unicodedata.category(char) != "Cf")
    return " ".join(visible.split())


def is_variable_name(name: str) -> bool:
    return len(name) <= MAX_NAME_LENGTH and name.isidentifier()


def as_variable_name(name: str) -> str:
    plain = cleaned(name)
    if is_variable_name(plain):
        return plain
    # By character, as `\w` does not match the vowel signs of Indian scripts.
    words = "".join(char if f"_{char}".isidentifier() else " " for char in plain).split()
    found = "_".join(words)[: MAX_NAME_LENGTH - 1]
    return found if is_variable_name(found) else f"_{found}"


def match_key(name: str) -> str:
    """Equal for names that differ only in case, diacritics and invisible characters."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", cleaned(name)).casefold())
    return "".join(char for char in decomposed if not unicodedata.category(char).startswith("M"))


def unique_columns(cells: list[str]) -> tuple[list[tuple[int, str]], frozenset[str]]:
    names = [cleaned(cell)[:MAX_HEADER_LENGTH] for cell in cells]
    repeated = {name for name, count in Counter(names).items() if name and count > 1}
    taken: set[str] = set()
    columns: list[tuple[int, str]] = []
    for index, name in enumerate(names):
        if name:
            columns.append((index, _unique(name, taken)))
            taken.add(columns[-1][1])
    return columns, frozenset(repeated)


def _unique(name: str, taken: Collection[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found


class NoColumn(Exception):
    """No single column fills a variable; the message says which and what to do."""


class AmbiguousColumn(NoColumn):
    """Several columns could fill it."""


def columns_for(variables: Iterable[str], columns: list[str], repeated: Collection[str] = ()) -> dict[str, str]:
    """The exact name, else the only one that differs in case or diacritics. Raises NoColumn, AmbiguousColumn."""
    by_key: dict[str, list[str]] = {}
    for column in columns:
        by_key.setdefault(match_key(column), []).append(column)
    found: dict[str, str] = {}
    missing: list[str] = []
    for variable in variables:
        fitting = [variable] if variable in columns else by_key.get(match_key(variable), [])
        if len(fitting) > 1 or any(each in repeated for each in fitting):
            raise AmbiguousColumn(_ambiguity(variable, fitting))
        if fitting:
            found[variable] = fitting[0]
        else:
            missing.append(variable)
    if missing:
        raise NoColumn(_absence(missing, columns))
    return found


def _ambiguity(variable: str, fitting: list[str]) -> str:
    named = " and ".join(repr(name) for name in fitting[:MAX_SHOWN_COLUMNS])
    which = f"the columns {named} both fit" if len(fitting) > 1 else f"more than one column is called {named}"
    return f"What fills {variable} is not clear: {which}. Rename all but one."


def _absence(missing: list[str], columns: list[str]) -> str:
    hints = [
        f" Rename the column {column!r} to {variable}."
        for variable in missing
        for column in columns
        if match_key(as_variable_name(column)) == match_key(variable)
    ]
    shown = ", ".join(repr(column) for column in columns[:MAX_SHOWN_COLUMNS]) + (
        ", …" if len(columns) > MAX_SHOWN_COLUMNS else ""
    )
    there = f" The columns are {shown}." if columns else ""
    return f"No column fills {', '.join(missing)}.{''.join(hints[:MAX_SHOWN_COLUMNS]) or there}"

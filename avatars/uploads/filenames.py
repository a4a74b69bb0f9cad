"""File names as clients send them: shown to their owners, never used as a path."""

import unicodedata

MOST = 200
NOT_IN_FILENAMES = frozenset('\\/:*?"<>|')


def cleaned(name: str, suffix: str) -> str:
    """One line of printable text without separators of paths, ending in the suffix of the kept file."""
    last = name.replace("\\", "/").rpartition("/")[2]
    stem = last.rpartition(".")[0] or last
    allowed = (" " if char in NOT_IN_FILENAMES or not _is_shown(char) else char for char in stem)
    plain = " ".join("".join(allowed).split())[:MOST].strip(" .")
    return f"{plain or 'upload'}.{suffix}"


def _is_shown(char: str) -> bool:
    """Not controls, lone surrogates, or what turns the direction of writing round."""
    return char.isprintable() and unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn")


def suffix_of(name: str) -> str:
    """The name's own, in small letters, where it looks like one."""
    suffix = name.rpartition(".")[2].lower()
    return suffix if suffix.isascii() and suffix.isalnum() and len(suffix) <= 5 else "bin"

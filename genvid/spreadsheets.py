"""Safe cells for tables that are opened in a spreadsheet."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def escape_formula(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text

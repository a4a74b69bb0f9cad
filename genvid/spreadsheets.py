"""Safe cells for tables that are opened in a spreadsheet."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Escapes a text that a customer chose, so that it is not run as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text

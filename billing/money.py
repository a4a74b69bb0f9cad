"""Amounts of money as text."""

WHOLE = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
"""Currencies without minor unit (https://docs.stripe.com/currencies#zero-decimal)."""


THOUSANDTHS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
"""Currencies whose minor unit is a thousandth. (Stripe counts hundredths of `ugx`, which has no minor unit.)"""


def money_text(amount: int, currency: str) -> str:
    """1250, usd: "12.50 USD"."""
    if currency.lower() in WHOLE:
        return f"{amount} {currency.upper()}"
    digits = 3 if currency.lower() in THOUSANDTHS else 2
    sign, (whole, rest) = ("-" if amount < 0 else ""), divmod(abs(amount), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d} {currency.upper()}"

"""Amounts of money as text."""

# https://docs.stripe.com/currencies#zero-decimal; Stripe counts hundredths of `ugx`, which has no minor unit.
ZERO_DECIMAL_CURRENCIES = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL_CURRENCIES = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])


def minor_units(currency: str) -> int:
    """How many make one: 100 cents in a dollar."""
    if currency.lower() in ZERO_DECIMAL_CURRENCIES:
        return 1
    return 1000 if currency.lower() in THREE_DECIMAL_CURRENCIES else 100


def money_text(amount: int, currency: str) -> str:
    """1250, usd: "12.50 USD"."""
    if currency.lower() in ZERO_DECIMAL_CURRENCIES:
        return f"{amount} {currency.upper()}"
    digits = 3 if currency.lower() in THREE_DECIMAL_CURRENCIES else 2
    sign, (whole, rest) = ("-" if amount < 0 else ""), divmod(abs(amount), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d} {currency.upper()}"

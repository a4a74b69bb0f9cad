"""Amounts of money, for people to read."""

WHOLE = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)
"""Currencies whose minor unit is the whole one (https://docs.stripe.com/currencies#zero-decimal)."""


def shown(amount: int, currency: str) -> str:
    """1250, usd: "12.50 USD"."""
    if currency.lower() in WHOLE:
        return f"{amount} {currency.upper()}"
    sign, cents = ("-" if amount < 0 else ""), abs(amount)
    return f"{sign}{cents // 100}.{cents % 100:02d} {currency.upper()}"

"""The currencies that Stripe charges in: https://docs.stripe.com/currencies."""

from typing import Any

from genvid.sandbox.stripe.stripe_errors import StripeError

CODES = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp "
    "cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils "
    "inr isk jmd jpy kes kgs khr kmf krw kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn "
    "myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle "
    "sos srd std szl thb tjs top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw "
)
CURRENCIES = frozenset(CODES.split())


def check_price(given: str | None, price: dict[str, Any]) -> None:
    if given is not None and given.lower() != price["currency"]:
        message = f"The price specified only supports `{price['currency']}`. This doesn't match the expected "
        raise StripeError(message + f"currency: `{given}`.", param="currency")


def checked(currency: str, param: str) -> str:
    """The code in lower case. Raises StripeError for an unknown one."""
    known = currency.lower()
    if known not in CURRENCIES:
        codes = ", ".join(sorted(CURRENCIES))
        raise StripeError(
            f"Invalid currency: {known}. Stripe currently supports these currencies: {codes}", param=param
        )
    return known

"""HTML elements of the pages. Values from outside go through `text`, which escapes them."""

from collections.abc import Iterable
from html import escape

from starlette.responses import HTMLResponse

from genvid.sandbox.stripe import cards

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="stylesheet" href="/pay/static/style.css">
<script src="/pay/static/pay.js" defer></script>
</head>
<body class="{kind}">
<p class="ribbon"><strong>Test mode</strong> This stands in for Stripe. No real money moves: use test cards only.</p>
{body}
<footer>Powered by the <strong>genvid sandbox</strong>, which stands in for Stripe</footer>
</body>
</html>
"""


def text(value: object) -> str:
    return escape(str(value), quote=True)


def page(title: str, body: str, *, kind: str = "plain", status: int = 200) -> HTMLResponse:
    return HTMLResponse(FRAME.format(title=text(title), body=body, kind=kind), status, HEADERS)


def notice(title: str, words: str, link: tuple[str, str] | None = None, *, status: int = 200) -> HTMLResponse:
    way = "" if link is None else f'<p><a class="button" href="{url(link[0])}">{text(link[1])}</a></p>'
    body = f'<main class="card notice"><h1>{text(title)}</h1><p>{text(words)}</p>{way}</main>'
    return page(title, body, status=status)


def url(address: str) -> str:
    """The address, or `#` for one that a browser would not open as a page, such as a script."""
    return text(address) if address.startswith(("http://", "https://", "/")) else "#"


def error_box(message: str | None) -> str:
    return "" if not message else f'<p class="error" role="alert">{text(message)}</p>'


def field(label: str, name: str, value: str = "", **attributes: str) -> str:
    more = "".join(f' {key.replace("_", "-")}="{text(word)}"' for key, word in attributes.items())
    return f'<label for="{name}">{text(label)}</label><input id="{name}" name="{name}" value="{text(value)}"{more}>'


def button(words: str, look: str = "") -> str:
    return f'<button type="submit" class="{look}">{text(words)}</button>'


def form(action: str, *parts: str, look: str = "") -> str:
    return f'<form method="post" action="{url(action)}" class="{look}">{"".join(parts)}</form>'


def entry(title: str, note: str, amount: str) -> str:
    return f"<li><span><b>{text(title)}</b><small>{text(note)}</small></span><b>{text(amount)}</b></li>"


def rows(pairs: Iterable[tuple[str, str]], look: str = "") -> str:
    lines = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="{look}">{lines}</dl>'


def card_fields(given: dict[str, str]) -> str:
    values = {name: given.get(name, "") for name in ("number", "expiry", "cvc", "name")}
    number = field(
        "Card information", "number", values["number"], inputmode="numeric", placeholder="1234 1234 1234 1234"
    )
    expiry = field("Expiry", "expiry", values["expiry"], placeholder="MM / YY", inputmode="numeric")
    cvc = field("CVC", "cvc", values["cvc"], placeholder="CVC", inputmode="numeric", maxlength="4")
    name = field("Cardholder name", "name", values["name"], placeholder="Full name on card", autocomplete="off")
    return f'<div class="number">{number}</div><div class="pair"><div>{expiry}</div><div>{cvc}</div></div>{name}'


def test_cards(here: str) -> str:
    entries = "".join(
        f'<li><a href="{url(here)}?number={number}" data-card="{number}">'
        f"<code>{grouped(number)}</code> {text(card.shown)}</a></li>"
        for number, card in cards.CARDS.items()
    )
    return (
        f'<section class="tests"><h2>Test cards</h2><p>Choose one to fill in the form.</p><ul>{entries}</ul></section>'
    )


def grouped(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))

"""The page on which a filmed person agrees to a digital twin, behind the address that asking for consent gives."""

from starlette.responses import HTMLResponse, Response

from genvid.sandbox.heygen.heygen_core import HeyGenCore

PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>Consent</title><h1>Your digital twin</h1>"
QUESTION = "<form method=post><p>An avatar is to be made of a film of you.</p><button>I agree</button></form>"
THANKS = "<p>Thank you. The avatar will be made.</p>"
GONE = "<p>There is no such avatar any more.</p>"


def answer(core: HeyGenCore, group_id: str, *, agrees: bool) -> Response:
    if core.store.row("SELECT 1 FROM looks WHERE group_id = ?", group_id) is None:
        return HTMLResponse(PAGE + GONE, 404)
    if agrees:
        core.give_consent(group_id)
    return HTMLResponse(PAGE + (THANKS if agrees else QUESTION))

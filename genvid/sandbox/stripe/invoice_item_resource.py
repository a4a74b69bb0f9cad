"""Invoice items, which go on a customer's next invoice or on a draft."""

from genvid.sandbox.stripe import currencies, invoice_drafts
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.invoice_lines import product_name
from genvid.sandbox.stripe.list_pages import Condition, page
from genvid.sandbox.stripe.object_store import Json, new_id
from genvid.sandbox.stripe.resources import reading
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, missing_parameter
from genvid.sandbox.stripe.stripe_operations import Call, Operation

KIND = "invoiceitem"


def create(call: Call) -> Json:
    form, core = call.form, call.core
    customer = core.get_existing("customer", form.need("customer"), "customer")
    invoice = _draft(core, form.need("invoice"), "invoice") if form.text("invoice") else None
    now = core.now()
    item = core.new(
        KIND,
        "ii_1",
        **{**_priced(core, form), **call.kept},
        customer=customer["id"],
        date=now,
        invoice=invoice["id"] if invoice else None,
        metadata=form.map("metadata"),
        period=_period(form, {"start": now, "end": now}),
        _line=new_id("il_1"),
    )
    core.emit("invoiceitem.created", item)
    _recalculate(core, item)
    return item


def _priced(core: StripeCore, form: Form) -> Json:
    wanted, quantity = form.part("pricing").text("price"), form.count("quantity")
    if wanted is not None:
        price = core.get("price", wanted, "pricing[price]")
        if price["recurring"]:
            raise StripeError("Only one-time prices stand on invoice items.", param="pricing[price]")
        found = _amounts(price["currency"], price["unit_amount"], quantity)
        found["pricing"]["price_details"] = {"price": price["id"], "product": price["product"]}
        return {**found, "description": product_name(core, price)}
    currency = currencies.checked(form.need("currency"), "currency")
    if "unit_amount_decimal" in form:
        return _amounts(currency, round(float(form.need("unit_amount_decimal"))), quantity)
    if form.text("amount") is None:
        raise missing_parameter("amount")
    if "quantity" in form:
        raise StripeError("`quantity` goes with `unit_amount_decimal` or a price.", param="quantity")
    return _amounts(currency, form.need_number("amount"), 1)


def _amounts(currency: str, each: int, quantity: int) -> Json:
    pricing: Json = {"price_details": None, "type": "price_details", "unit_amount_decimal": str(each)}
    amount = each * quantity
    return {"amount": amount, "currency": currency, "net_amount": amount, "pricing": pricing, "quantity": quantity}


def _period(form: Form, before: Json) -> Json:
    part = form.part("period")
    found = {name: part.number(name, before[name]) for name in ("start", "end")}
    if (found["end"] or 0) < (found["start"] or 0):
        raise StripeError("The period ends before it begins.", param="period[end]")
    return found


def _draft(core: StripeCore, invoice_id: str, param: str = "id") -> Json:
    invoice = core.get_existing("invoice", invoice_id, param)
    if invoice["status"] != "draft":
        raise StripeError("Only a draft invoice takes items.", code="invoice_not_editable", param=param)
    return invoice


def _recalculate(core: StripeCore, item: Json) -> None:
    if item["invoice"]:
        invoice_drafts.recalculate(core, core.get("invoice", item["invoice"]))


def update(call: Call) -> Json:
    form, core, item = call.form, call.core, _editable(call)
    fields = call.updates(item)
    if set(form.values) & {"amount", "pricing", "quantity", "unit_amount_decimal"}:
        fields = {**_priced(core, _with_previous_price(form, item)), "description": item["description"], **fields}
    if "period" in form:
        fields["period"] = _period(form, item["period"])
    core.save(item, **fields)
    _recalculate(core, item)
    return item


def _with_previous_price(form: Form, item: Json) -> Form:
    given, price = form.values, item["pricing"]["price_details"]
    if "amount" in given or "pricing" in given:
        return Form({"currency": item["currency"], **given})
    was = {"pricing": {"price": price["price"]}} if price else {}
    was = was or {"unit_amount_decimal": item["pricing"]["unit_amount_decimal"]}
    return Form({"currency": item["currency"], "quantity": str(item["quantity"]), **was, **given})


def _editable(call: Call) -> Json:
    item = call.core.get_existing(KIND, call.id)
    if item["invoice"]:
        _draft(call.core, item["invoice"])
    return item


def delete(call: Call) -> Json:
    core, item = call.core, _editable(call)
    gone = core.delete(item, "invoiceitem.deleted")
    _recalculate(core, item)
    return gone


def list_all(call: Call) -> Json:
    where: list[Condition] = []
    if "pending" in call.form:
        where.append(("invoice", "IS" if call.form.flag("pending") else "IS NOT", None))
    return page(call, KIND, "customer", "invoice", where=tuple(where))


OPERATIONS = [
    Operation("POST", "/v1/invoiceitems", create),
    Operation("GET", "/v1/invoiceitems", list_all),
    reading("/v1/invoiceitems", KIND),
    Operation("POST", "/v1/invoiceitems/{id}", update),
    Operation("DELETE", "/v1/invoiceitems/{id}", delete),
]

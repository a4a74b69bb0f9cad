"""Products and prices."""

from genvid.sandbox.stripe import currencies
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.declared import INTERVALS
from genvid.sandbox.stripe.errors import StripeError, missing
from genvid.sandbox.stripe.forms import Form
from genvid.sandbox.stripe.lists import Condition, page
from genvid.sandbox.stripe.object_store import Thing, listed


def make_product(core: StripeCore, form: Form, kept: Thing) -> Thing:
    wanted = form.text("id")
    if wanted and core.objects.find(wanted) is not None:
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    fields: Thing = {
        "active": form.flag("active", True),
        "default_price": None,
        "description": None,
        "images": [],
        "marketing_features": [],
        "metadata": form.map("metadata"),
        "name": form.need("name"),
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": core.now(),
        "url": None,
        **kept,
    }
    product = core.new("product", "prod_", **fields, **({"id": wanted} if wanted else {}))
    core.emit("product.created", product)
    return product


def create_product(call: Call) -> Thing:
    product, price = make_product(call.core, call.form, call.kept), call.form.part("default_price_data")
    if price.values:
        call.core.save(product, default_price=make_price(call.core, price, product)["id"])
    return product


def read_product(call: Call) -> Thing:
    return call.core.get("product", call.id)


def update_product(call: Call) -> Thing:
    form, product = call.form, call.core.alive("product", call.id)
    fields: Thing = {**form.chosen("name"), **call.kept}
    if "default_price" in form:
        call.core.get("price", form.need("default_price"), "default_price")
    if "active" in form:
        fields["active"] = form.flag("active")
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", product["metadata"])
    return call.core.change(product, "product.updated", **fields)


def delete_product(call: Call) -> Thing:
    product = call.core.alive("product", call.id)
    if call.core.objects.all("price", product=product["id"]):
        raise StripeError("This product cannot be deleted because it has one or more user-created prices.")
    call.core.emit("product.deleted", product)
    gone = {"id": product["id"], "object": "product", "deleted": True}
    call.core.save(gone)
    return gone


def list_products(call: Call) -> Thing:
    ids = call.form.texts("ids")
    where: tuple[Condition, ...] = (("id", "IN", ids),) if ids else ()
    return page(call, "product", where=(*where, *_active(call)))


def _active(call: Call) -> tuple[Condition, ...]:
    return (("active", "=", call.form.flag("active")),) if "active" in call.form else ()


def features(call: Call) -> Thing:
    call.core.get("product", call.id)
    return listed(f"/v1/products/{call.id}/features", [])


def make_price(core: StripeCore, form: Form, product: Thing) -> Thing:
    amount, recurring = form.number("unit_amount"), _recurring(form)
    if amount is not None:
        form.count("unit_amount", least=0)
    if amount is None and "unit_amount_decimal" in form:
        amount = _whole_cents(form)
    if amount is None:
        raise missing(form.name("unit_amount"))
    price = core.new(
        "price",
        "price_1",
        active=form.flag("active", True),
        billing_scheme="per_unit",
        currency=currencies.checked(form.need("currency"), form.name("currency")),
        custom_unit_amount=None,
        lookup_key=_free_lookup_key(core, form),
        metadata=form.map("metadata"),
        nickname=form.text("nickname"),
        product=product["id"],
        recurring=recurring,
        tax_behavior=form.text("tax_behavior") or "unspecified",
        tiers_mode=None,
        transform_quantity=None,
        type="recurring" if recurring else "one_time",
        unit_amount=amount,
        unit_amount_decimal=str(amount),
    )
    core.emit("price.created", price)
    return price


def _whole_cents(form: Form) -> int:
    value = float(form.need("unit_amount_decimal"))
    if value < 0 or value != int(value):
        raise StripeError("This sandbox has no prices with parts of a cent.", param=form.name("unit_amount_decimal"))
    return int(value)


def _recurring(form: Form) -> Thing | None:
    part = form.part("recurring")
    if not part.values:
        return None
    part.need("interval")
    return {
        "interval": part.word("interval", *INTERVALS),
        "interval_count": part.count("interval_count"),
        "meter": None,
        "trial_period_days": part.number("trial_period_days"),
        "usage_type": "licensed",
    }


def _free_lookup_key(core: StripeCore, form: Form) -> str | None:
    """A key is one price's; it is taken from its holder only when that is asked for."""
    key = form.text("lookup_key")
    for holder in core.objects.all("price", lookup_key=key) if key else ():
        if not form.flag("transfer_lookup_key"):
            raise StripeError(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
        core.change(holder, "price.updated", lookup_key=None)
    return key


def create_price(call: Call) -> Thing:
    return make_price(call.core, call.form, product_of(call.core, call.form))


def product_of(core: StripeCore, form: Form) -> Thing:
    """The product a price is made for, which may be made along with it."""
    if "product_data" in form:
        part = form.part("product_data")
        kept = ("description", "statement_descriptor", "tax_code", "unit_label")
        return make_product(core, part, {**part.chosen(*kept), "images": part.texts("images")})
    return core.alive("product", form.need("product"), "product")


def read_price(call: Call) -> Thing:
    return call.core.get("price", call.id)


def update_price(call: Call) -> Thing:
    form, price = call.form, call.core.get("price", call.id)
    fields: Thing = {**call.kept}
    if "active" in form:
        fields["active"] = form.flag("active")
    if "lookup_key" in form and form.text("lookup_key") != price["lookup_key"]:
        fields["lookup_key"] = _free_lookup_key(call.core, form)
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", price["metadata"])
    return call.core.change(price, "price.updated", **fields)


def list_prices(call: Call) -> Thing:
    keys, recurring = call.form.texts("lookup_keys"), call.form.part("recurring").text("interval")
    where: list[Condition] = [*_active(call)]
    where += [("lookup_key", "IN", keys)] if keys else []
    where += [("recurring.interval", "=", recurring)] if recurring else []
    return page(call, "price", "product", "type", "currency", where=tuple(where))


OPERATIONS = [
    Operation("POST", "/v1/products", create_product),
    Operation("GET", "/v1/products", list_products),
    Operation("GET", "/v1/products/{id}", read_product),
    Operation("POST", "/v1/products/{id}", update_product),
    Operation("DELETE", "/v1/products/{id}", delete_product),
    Operation("GET", "/v1/products/{id}/features", features),
    Operation("POST", "/v1/prices", create_price),
    Operation("GET", "/v1/prices", list_prices),
    Operation("GET", "/v1/prices/{id}", read_price),
    Operation("POST", "/v1/prices/{id}", update_price),
]

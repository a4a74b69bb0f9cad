"""Products and prices."""

from genvid.sandbox.stripe import currencies
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.list_pages import any_of, is_set
from genvid.sandbox.stripe.object_store import Json, list_object
from genvid.sandbox.stripe.resources import readable
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, missing_parameter
from genvid.sandbox.stripe.stripe_operations import Call, Operation


def new_product(core: StripeCore, form: Form, kept: Json) -> Json:
    wanted = form.text("id")
    chosen = {"id": wanted} if wanted else {}
    fields = {"name": form.need("name"), "metadata": form.map("metadata"), "updated": core.now(), **kept, **chosen}
    product = core.new("product", "prod_", **fields)
    core.emit("product.created", product)
    return product


def create_product(call: Call) -> Json:
    product, price = new_product(call.core, call.form, call.kept), call.form.part("default_price_data")
    if price.values:
        call.core.save(product, default_price=new_price(call.core, price, product)["id"])
    return product


def update_product(call: Call) -> Json:
    product = call.core.get_existing("product", call.id)
    if "default_price" in call.form:
        call.core.get("price", call.form.need("default_price"), "default_price")
    return call.core.change(product, "product.updated", **call.updates(product))


def delete_product(call: Call) -> Json:
    product = call.core.get_existing("product", call.id)
    if call.core.objects.all("price", product=product["id"]):
        raise StripeError("This product cannot be deleted because it has one or more user-created prices.")
    return call.core.delete(product, "product.deleted")


def features(call: Call) -> Json:
    call.core.get("product", call.id)
    return list_object(f"/v1/products/{call.id}/features", [])


def new_price(core: StripeCore, form: Form, product: Json) -> Json:
    amount, recurring = form.number("unit_amount"), _recurring(form)
    if amount is not None:
        form.count("unit_amount", least=0)
    if amount is None and "unit_amount_decimal" in form:
        amount = _cents_of_decimal(form)
    if amount is None:
        raise missing_parameter(form.name("unit_amount"))
    price = core.new(
        "price",
        "price_1",
        active=form.flag("active", True),
        currency=currencies.checked(form.need("currency"), form.name("currency")),
        lookup_key=_free_lookup_key(core, form),
        metadata=form.map("metadata"),
        nickname=form.text("nickname"),
        product=product["id"],
        recurring=recurring,
        tax_behavior=form.text("tax_behavior") or "unspecified",
        type="recurring" if recurring else "one_time",
        unit_amount=amount,
        unit_amount_decimal=str(amount),
    )
    core.emit("price.created", price)
    return price


def _cents_of_decimal(form: Form) -> int:
    value = float(form.need("unit_amount_decimal"))
    if value < 0 or value != int(value):
        raise StripeError("This sandbox has no prices with parts of a cent.", param=form.name("unit_amount_decimal"))
    return int(value)


def _recurring(form: Form) -> Json | None:
    part = form.part("recurring")
    if not part.values:
        return None
    return {
        "interval": part.need("interval"),
        "interval_count": part.count("interval_count"),
        "meter": None,
        "trial_period_days": part.number("trial_period_days"),
        "usage_type": "licensed",
    }


def _free_lookup_key(core: StripeCore, form: Form) -> str | None:
    """The lookup key. It is taken from another price only if `transfer_lookup_key` says so."""
    key = form.text("lookup_key")
    for holder in core.objects.all("price", lookup_key=key) if key else ():
        if not form.flag("transfer_lookup_key"):
            raise StripeError(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
        core.change(holder, "price.updated", lookup_key=None)
    return key


def create_price(call: Call) -> Json:
    return new_price(call.core, call.form, product_of(call.core, call.form))


def product_of(core: StripeCore, form: Form) -> Json:
    if "product_data" in form:
        part = form.part("product_data")
        kept = ("description", "statement_descriptor", "tax_code", "unit_label")
        return new_product(core, part, {**part.chosen(*kept), "images": part.texts("images")})
    return core.get_existing("product", form.need("product"), "product")


def update_price(call: Call) -> Json:
    form, price = call.form, call.core.get("price", call.id)
    fields = call.updates(price)
    if "lookup_key" in form and form.text("lookup_key") != price["lookup_key"]:
        fields["lookup_key"] = _free_lookup_key(call.core, form)
    return call.core.change(price, "price.updated", **fields)


PRICE_FILTERS = ("product", "type", "currency", "recurring.interval", any_of("lookup_keys", "lookup_key"))
OPERATIONS = [
    *readable("/v1/products", "product", is_set("active"), any_of("ids", "id")),
    Operation("POST", "/v1/products", create_product),
    Operation("POST", "/v1/products/{id}", update_product),
    Operation("DELETE", "/v1/products/{id}", delete_product),
    Operation("GET", "/v1/products/{id}/features", features),
    *readable("/v1/prices", "price", is_set("active"), *PRICE_FILTERS),
    Operation("POST", "/v1/prices", create_price),
    Operation("POST", "/v1/prices/{id}", update_price),
]

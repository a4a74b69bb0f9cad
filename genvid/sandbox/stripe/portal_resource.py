"""Configurations and sessions of the customer portal."""

from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.list_pages import is_set
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.resources import readable
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_operations import Call, Operation

CONFIGURATION = "billing_portal.configuration"


def create_configuration(call: Call) -> Json:
    return _create(call.core, call.form, is_default=False)


def _create(core: StripeCore, form: Form, *, is_default: bool) -> Json:
    return core.new(
        CONFIGURATION,
        "bpc_1",
        business_profile=_profile(form),
        default_return_url=form.text("default_return_url"),
        features=_features(form.part("features")),
        is_default=is_default,
        login_page={"enabled": form.part("login_page").flag("enabled"), "url": None},
        metadata=form.map("metadata"),
        name=form.text("name"),
        updated=core.now(),
    )


def _profile(form: Form) -> Json:
    part = form.part("business_profile")
    names = ("headline", "privacy_policy_url", "terms_of_service_url")
    return {name: part.text(name) for name in names}


def _features(form: Form) -> Json:
    cancel, change = form.part("subscription_cancel"), form.part("subscription_update")
    customer = form.part("customer_update")
    reasons = cancel.part("cancellation_reason")
    return {
        "customer_update": {"allowed_updates": customer.texts("allowed_updates"), "enabled": customer.flag("enabled")},
        "invoice_history": {"enabled": form.part("invoice_history").flag("enabled")},
        "payment_method_update": {
            "enabled": form.part("payment_method_update").flag("enabled"),
            "payment_method_configuration": None,
        },
        "subscription_cancel": {
            "cancellation_reason": {"enabled": reasons.flag("enabled"), "options": reasons.texts("options")},
            "enabled": cancel.flag("enabled"),
            "mode": cancel.text("mode") or "at_period_end",
            "proration_behavior": cancel.text("proration_behavior") or "none",
        },
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": change.texts("default_allowed_updates"),
            "enabled": change.flag("enabled"),
            "products": [_product(part) for part in change.parts("products")],
            "proration_behavior": change.text("proration_behavior") or "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }


def _product(form: Form) -> Json:
    quantity = {"enabled": False, "maximum": None, "minimum": 1}
    return {"adjustable_quantity": quantity, "prices": form.texts("prices"), "product": form.text("product")}


def update_configuration(call: Call) -> Json:
    form, configuration = call.form, call.core.get(CONFIGURATION, call.id)
    fields = {"updated": call.core.now(), **call.updates(configuration)}
    if "login_page" in form:
        fields["login_page"] = {**configuration["login_page"], "enabled": form.part("login_page").flag("enabled")}
    if "business_profile" in form:
        fields["business_profile"] = _profile(form)
    if "features" in form:
        given = form.part("features")
        new = _features(given)
        fields["features"] = {**configuration["features"], **{name: new[name] for name in given.values if name in new}}
    return call.core.save(configuration, **fields)


def default_configuration(core: StripeCore) -> Json:
    for configuration in core.objects.all(CONFIGURATION, is_default=True):
        return configuration
    enabled = {"enabled": "true"}
    names = ("invoice_history", "payment_method_update", "subscription_cancel")
    return _create(core, Form({"features": dict.fromkeys(names, enabled)}), is_default=True)


def create_session(call: Call) -> Json:
    form, core = call.form, call.core
    customer = core.get_existing("customer", form.need("customer"), "customer")
    wanted = form.text("configuration")
    chosen = core.get(CONFIGURATION, wanted, "configuration") if wanted else default_configuration(core)
    session = core.new(
        "billing_portal.session",
        "bps_1",
        configuration=chosen["id"],
        customer=customer["id"],
        locale=form.text("locale"),
        return_url=form.text("return_url") or chosen["default_return_url"],
    )
    return core.save(session, url=f"{core.base}/pay/portal/{session['id']}")


CONFIGURATIONS = "/v1/billing_portal/configurations"
OPERATIONS = [
    *readable(CONFIGURATIONS, CONFIGURATION, is_set("active"), is_set("is_default")),
    Operation("POST", CONFIGURATIONS, create_configuration),
    Operation("POST", CONFIGURATIONS + "/{id}", update_configuration),
    Operation("POST", "/v1/billing_portal/sessions", create_session),
]

"""A merchant on the sandbox's Stripe: its catalogue, a customer, and sessions to be paid."""

import ssl
from functools import cached_property
from typing import Any

import httpx
import stripe

from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.tests.sandbox_client import WAIT

SUCCESS = "http://shop.test/thanks?session={CHECKOUT_SESSION_ID}"
CANCEL = "http://shop.test/cart"
KEY = "sk_test_" + "a" * 24
DAY = 24 * 3600


class Merchant:
    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.actions = sandbox.stripe
        self.api = stripe.StripeClient(KEY, base_addresses={"api": sandbox.url}, max_network_retries=0).v1
        headers = {"Authorization": f"Bearer {KEY}"}
        # An own TLS context, though none is needed: httpx takes its time over loading certificates.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.http = httpx.Client(base_url=sandbox.url, headers=headers, timeout=WAIT, trust_env=False, verify=tls)

    @cached_property
    def customer(self) -> str:
        return str(self.api.customers.create({"email": "buyer@example.com", "name": "Bo Buyer"}).id)

    @cached_property
    def product(self) -> str:
        return str(self.api.products.create({"name": "Credits"}).id)

    @cached_property
    def pack(self) -> str:
        return self.price(1200)

    @cached_property
    def basic(self) -> str:
        return self.price(2000, "month")

    @cached_property
    def pro(self) -> str:
        return self.price(5000, "month")

    @cached_property
    def yearly(self) -> str:
        return self.price(20000, "year")

    def price(self, amount: int, interval: str | None = None) -> str:
        params: Any = {"product": self.product, "unit_amount": amount, "currency": "usd"}
        if interval:
            params["recurring"] = {"interval": interval}
        return str(self.api.prices.create(params).id)

    def session(self, price: str | None = None, **params: Any) -> Any:
        """A session for one pack and the customer by default; `customer=None` is for a guest."""
        body = {
            "mode": "payment",
            "customer": None if "customer" in params else self.customer,
            "line_items": [{"price": price or self.pack, "quantity": 1}],
            "success_url": SUCCESS,
            "cancel_url": CANCEL,
            **params,
        }
        return self.api.checkout.sessions.create({name: value for name, value in body.items() if value is not None})

    def buy(self, card: str = "4242424242424242", price: str | None = None, **params: Any) -> dict[str, Any]:
        """A session after an attempt to pay it."""
        return self.actions.pay(self.session(price, **params).id, card)

    def charge(self, card: str = "4242424242424242", price: str | None = None) -> Any:
        """The charge of a pack that was paid."""
        return self.api.payment_intents.retrieve(
            self.buy(card, price)["payment_intent"], {"expand": ["latest_charge"]}
        ).latest_charge

    def subscribe(self, price: str | None = None, card: str = "4242424242424242", **params: Any) -> str:
        """The id of a subscription that was started through Checkout."""
        session = self.buy(card, price or self.basic, mode="subscription", **params)
        assert session["error"] is None
        return str(session["subscription"])

    def subscription(self, subscription_id: str) -> Any:
        return self.api.subscriptions.retrieve(subscription_id)

    def latest_invoice(self, subscription_id: str) -> Any:
        return self.api.invoices.list({"subscription": subscription_id, "limit": 1}).data[0]

    def types(self, after: str | None = None) -> list[str]:
        return [event["type"] for event in self.actions.events(after)]

    def mark(self) -> str:
        """The id of the latest event."""
        return str(self.actions.events()[-1]["id"])

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

"""Models of billing."""

from billing.models.adjustments import CreditAdjustment
from billing.models.fundings import Funding
from billing.models.ledger_proofs import LedgerProof
from billing.models.payments import Checkout, Customer, Dispute, FormerCustomer, Invoice, Payment, Refund
from billing.models.plans import Plan, PlanPrice
from billing.models.rates import Fee, RenderRate, Tier
from billing.models.signups import SignupDay, SignupGrant
from billing.models.stripe_sync import Letter, Shop, StripeSync
from billing.models.subscriptions import Allowance, AllowanceStop, Subscription
from billing.models.top_ups import TopUp, TopUpRule
from billing.models.wallets import CreditLot, Hold, LedgerEntry, Wallet

__all__ = [
    "Allowance",
    "AllowanceStop",
    "Checkout",
    "CreditAdjustment",
    "CreditLot",
    "Customer",
    "Dispute",
    "Fee",
    "FormerCustomer",
    "Funding",
    "Hold",
    "Invoice",
    "LedgerEntry",
    "LedgerProof",
    "Letter",
    "Payment",
    "Plan",
    "PlanPrice",
    "Refund",
    "RenderRate",
    "Shop",
    "SignupDay",
    "SignupGrant",
    "StripeSync",
    "Subscription",
    "Tier",
    "TopUp",
    "TopUpRule",
    "Wallet",
]

"""Routes of billing below `/api/v1/`."""

from billing.views import payments, plans_and_checkouts, wallets
from genvid.api.routers import Router, SingletonRouter

router = Router()
router.register("billing/ledger", wallets.LedgerViewSet)
router.register("billing/plans", plans_and_checkouts.PlanViewSet)
router.register("billing/fees", plans_and_checkouts.FeeViewSet)
router.register("billing/checkout", plans_and_checkouts.CheckoutViewSet)
router.register("billing/portal", plans_and_checkouts.PortalViewSet)
router.register("billing/invoices", payments.InvoiceViewSet)
router.register("billing/payments", payments.PaymentViewSet)

singletons = SingletonRouter()
singletons.register("billing/wallet", wallets.WalletViewSet)
singletons.register("billing/subscription", payments.SubscriptionViewSet)
singletons.register("billing/auto-top-up", payments.AutoTopUpViewSet)

urlpatterns = [*router.urls, *singletons.urls]

"""The addresses of money, below `/api/v1/`."""

from billing.views import buying, paying, wallets
from genvid.api.routers import Router, SingletonRouter

router = Router()
router.register("billing/ledger", wallets.LedgerViewSet)
router.register("billing/plans", buying.PlanViewSet)
router.register("billing/checkout", buying.CheckoutViewSet)
router.register("billing/portal", buying.PortalViewSet)
router.register("billing/invoices", paying.InvoiceViewSet)
router.register("billing/payments", paying.PaymentViewSet)

singletons = SingletonRouter()
singletons.register("billing/wallet", wallets.WalletViewSet)
singletons.register("billing/subscription", paying.SubscriptionViewSet)
singletons.register("billing/auto-top-up", paying.AutoTopUpViewSet)

urlpatterns = [*router.urls, *singletons.urls]

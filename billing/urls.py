from django.urls import path

from billing.views import buying, paying, wallets

urlpatterns = [
    path("billing/wallet", wallets.WalletView.as_view()),
    path("billing/ledger", wallets.LedgerView.as_view()),
    path("billing/plans", buying.PlansView.as_view()),
    path("billing/checkout", buying.CheckoutView.as_view()),
    path("billing/checkout/<str:session_id>", buying.CheckoutStatusView.as_view()),
    path("billing/portal", buying.PortalView.as_view()),
    path("billing/subscription", paying.SubscriptionView.as_view()),
    path("billing/invoices", paying.InvoicesView.as_view()),
    path("billing/payments", paying.PaymentsView.as_view()),
    path("billing/payments/<uuid:pk>", paying.PaymentView.as_view()),
    path("billing/auto-top-up", paying.TopUpView.as_view()),
]

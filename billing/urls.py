from django.urls import path

from billing import views

urlpatterns = [
    path("billing/wallet", views.WalletView.as_view()),
    path("billing/ledger", views.LedgerView.as_view()),
]

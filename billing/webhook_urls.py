"""Route of Stripe's webhook, outside the API's prefix."""

from django.urls import path

from billing.views.incoming_webhooks import stripe_webhook

urlpatterns = [path("stripe/webhook/<uuid:uuid>/", stripe_webhook, name="stripe-webhook")]

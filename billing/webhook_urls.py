from django.urls import path

from billing.receivers.stripe_door import stripe_webhook

urlpatterns = [path("stripe/webhook/<uuid:uuid>/", stripe_webhook, name="stripe-webhook")]

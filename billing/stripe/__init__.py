"""Gateway to Stripe: calls, webhook endpoint, dj-stripe."""

"""Stripe's API, hosted pages and webhooks."""

"""Keeping our tables in line with Stripe: webhooks, the queue of objects to re-read, their handlers."""

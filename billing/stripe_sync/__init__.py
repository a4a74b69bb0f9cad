"""Syncs our tables with Stripe: the queue of objects to re-read, their handlers, reconciliation."""

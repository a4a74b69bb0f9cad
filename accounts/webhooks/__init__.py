"""Outgoing webhooks: endpoints, events, signed deliveries."""

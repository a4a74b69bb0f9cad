"""Outgoing webhooks: events, endpoints of clients, signed deliveries."""

"""Viewsets of billing, one module per resource, and Stripe's webhook view."""

"""Shapes of the billing endpoints."""

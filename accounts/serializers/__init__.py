"""Shapes of the account endpoints, one module a resource."""

"""Serializers of the account endpoints, one module per resource."""

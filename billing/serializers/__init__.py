"""Serializers of billing, by resource."""

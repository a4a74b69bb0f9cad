"""Shared by all endpoints: envelope, errors, strict input, keyset pages, OpenAPI document."""

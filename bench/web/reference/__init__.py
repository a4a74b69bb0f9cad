"""The reference design, no part of the product: an API over the same tables as the documentation of Django REST
framework teaches it, for the benches alone.

It has no ledger, rate limits, request log, idempotency, ETags, revocable sessions or strict input.
"""

"""Who is calling: people, the accounts (tenants) they act for, their sessions and their idempotency keys."""

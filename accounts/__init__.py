"""People, accounts (tenants), sign-in, API keys, outgoing webhooks, the audit log and personal data."""

"""The ledger of credits: entries, lots, checks, sign-up grants. Other apps use `billing.credits`."""

"""Credits, their ledger, and Stripe. Knows accounts, amounts and opaque references, never videos."""

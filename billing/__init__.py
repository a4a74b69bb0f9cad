"""Credits: wallets, lots, holds and the ledger that proves them. Knows accounts, amounts and opaque references."""

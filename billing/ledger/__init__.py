"""The ledger of credits: entries, lots, overruns, proof. Used by billing only; other apps use `billing.credits`."""

"""The ledger of credits: entries, lots, overruns, check. Used by billing only; other apps use `billing.credits`."""

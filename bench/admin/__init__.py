"""What staff's pages, the proof of the ledger and the sweep of retention take on a million videos."""

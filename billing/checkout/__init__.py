"""Actions that we start at Stripe: checkouts, the customer portal, refunds by staff, account erasure."""

"""What starts at us and goes through Stripe: checkouts, the customer portal, refunds by staff."""

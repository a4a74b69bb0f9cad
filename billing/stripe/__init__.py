"""The gateway to Stripe: the only package, with `billing.stripe_sync`, that imports `stripe` or `djstripe`."""

"""Money that comes and goes: checkouts, payments, subscriptions, refunds, automatic top-ups."""

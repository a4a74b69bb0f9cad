"""Payments, subscriptions, refunds, automatic top-ups, and the credits that follow from them."""

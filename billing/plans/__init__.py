"""Rates, plan limits and the price list of a new installation."""

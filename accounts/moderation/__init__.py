"""The check of customers' texts before anything is spent (docs/moderation.md)."""

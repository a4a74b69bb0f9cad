"""HeyGen v3: one module per tag of its API."""

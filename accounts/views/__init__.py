"""The account endpoints, one module per resource. Routed by `accounts.urls`."""

"""The account endpoints, one module a resource. Routed by `accounts.urls`."""

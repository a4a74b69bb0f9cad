"""The account endpoints, one module a resource."""

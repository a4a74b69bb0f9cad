"""Money, as its owners see it: one module a resource."""

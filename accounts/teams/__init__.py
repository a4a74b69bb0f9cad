"""Members of accounts, invitations, switching between accounts."""

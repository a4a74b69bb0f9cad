"""Accounts and who belongs to them: members, invitations, switching between accounts."""

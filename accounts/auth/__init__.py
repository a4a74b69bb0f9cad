"""Signing in: credentials, sessions, tokens, second factor, passwords, throttling."""

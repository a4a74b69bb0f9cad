"""Live events of videos over server-sent events, and waits for their end."""

"""Customers' own faces and voices: ordering, making, consent, review, and removal here and at HeyGen."""

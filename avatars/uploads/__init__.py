"""Files of customers: receiving, checking, keeping, and sending them to HeyGen."""

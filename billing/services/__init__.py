"""What this room does with money that comes and goes. `billing.credits` is its face to the rooms above."""

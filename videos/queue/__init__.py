"""Who waits for a render slot, for what, and how long: arithmetic and reads, nothing is written."""

"""Videos and batches: from a script to the finished file."""

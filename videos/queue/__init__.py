"""Queue positions, waiting reasons and times: arithmetic and reads, no writes."""

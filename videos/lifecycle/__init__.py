"""What clients do with a video, and how it ends: creation, settlement, retention, deletion."""

"""What clients do with videos: create, change, cancel, retry, delete; and how long videos are kept."""

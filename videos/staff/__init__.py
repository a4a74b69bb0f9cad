"""What staff may do to videos and workers by hand. Called by the admin and management commands."""

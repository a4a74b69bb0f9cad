"""What credits cost and what plans allow."""

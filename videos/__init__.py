"""What the customer buys: a video, from its script to the finished file."""

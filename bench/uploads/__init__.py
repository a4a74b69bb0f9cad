"""Memory and speed of uploads beside a view that reads each file whole."""

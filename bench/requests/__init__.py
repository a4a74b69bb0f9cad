"""What a request costs in the web process, in microseconds of CPU. It names paths only, so it runs on any checkout."""

"""CPU time per request in the web process, in microseconds. Names URL paths only, so it runs on any checkout."""

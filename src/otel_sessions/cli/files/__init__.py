"""`otel-sessions export` and `otel-sessions import`: files, what is in them, and the way to and from a server."""

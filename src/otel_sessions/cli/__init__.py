"""The command `otel-sessions`; needs the extra `server`."""

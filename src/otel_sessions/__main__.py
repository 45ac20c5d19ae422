"""`python -m otel_sessions` is the command `otel-sessions`."""

from otel_sessions.cli.main import run

if __name__ == "__main__":
    run()

"""`run`: the entry point, which names what to install if the extra `server` is missing."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command of `sys.argv`, then exit with its status."""
    try:
        from otel_sessions.cli.app import app  # noqa: PLC0415 - needs an optional extra

        app(prog_name="otel-sessions")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "otel_sessions":
            raise
        sys.exit(f"otel-sessions: {package} is not installed; run: pip install 'otel-sessions[server]'")

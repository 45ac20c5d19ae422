"""`otel-sessions doctor`."""

from __future__ import annotations


def doctor() -> None:
    """Find what would explain an empty or a wrong list."""

"""The refusal of a large request tells clients to send it again."""

from __future__ import annotations

from otel_sessions.server.receivers.large_requests import too_many_large_requests


def test_the_refusal_has_a_delay() -> None:
    """A client is told to send the same request again, and when."""
    error = too_many_large_requests()
    assert (error.http_status, error.retry_after) == (429, 1.0)
    assert "send again" in str(error)

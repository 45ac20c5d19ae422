"""Secrets are taken out of requests of OTLP/JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from otel_sessions.redaction.otlp import redact_request


def test_a_body_that_is_no_value() -> None:
    """A body of another form than OTLP's stays as it is, and what stands beside it is still read."""
    counts: Counter[str] = Counter()
    record: dict[str, Any] = {"body": 7, "attributes": [{"key": "password", "value": {"stringValue": "hunter2"}}]}
    assert redact_request(record, counts) == {
        "body": 7,
        "attributes": [{"key": "password", "value": {"stringValue": "[redacted:password]"}}],
    }
    assert counts == {"password": 1}

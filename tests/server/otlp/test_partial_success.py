"""Records that were left out are counted by reason."""

from __future__ import annotations

from otel_sessions.server.otlp.errors import MalformedError, NestedTooDeepError
from otel_sessions.server.otlp.partial_success import REASONS, Rejected, RejectedError


def test_errors_have_reasons() -> None:
    """Each error is counted under its reason, and the message explains each reason once."""
    rejected = Rejected()
    assert (rejected.total, rejected.message) == (0, "")
    for error in (
        RejectedError("invalid_span_id"),
        MalformedError("m"),
        NestedTooDeepError("m"),
        RejectedError("invalid_span_id"),
    ):
        rejected.add(error)
    assert rejected.counts == {"invalid_span_id": 2, "malformed": 1, "too_deep": 1}
    assert rejected.total == 4
    assert rejected.message == "; ".join(
        (
            f"2 rejected: {REASONS['invalid_span_id']}",
            "1 rejected: not a valid protobuf message",
            "1 rejected: an attribute is nested too deeply",
        )
    )


def test_a_rejected_error_explains_its_reason() -> None:
    """The text of an error is the explanation of its reason."""
    assert str(RejectedError("malformed")) == "not a valid protobuf message"

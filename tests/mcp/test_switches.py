"""The switches that turn the capture of content on."""

from __future__ import annotations

from typing import Any

from tests.mcp.asks import Double
from tests.mcp.stored import Stored, message

from otel_sessions.mcp.refs import SessionRef
from otel_sessions.mcp.switches import switches

SESSION = SessionRef("id", "s")


def test_switches_are_named_once() -> None:
    """Each switch of the first messages is told once, in their order."""
    messages = [message(switch=one) for one in ("B=1", None, "A=1", "B=1")]
    assert switches(Stored(messages=messages), SESSION) == " To capture content: B=1; A=1."
    assert switches(Stored(messages=[message()]), SESSION) == ""


def test_messages_that_cannot_be_asked_for_name_no_switch() -> None:
    """An answer about a session does not fail for want of its messages."""

    def nothing(path: str, _: Any) -> Any:
        return {"data": []} if path in ("/v1/keys", "/v1/sessions") else None

    assert switches(Double(nothing), SESSION) == ""

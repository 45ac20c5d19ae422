"""An answer to a call that cannot be answered."""

from __future__ import annotations

import json
from typing import Any

from tests.mcp.asks import NOW, Double

from otel_sessions.mcp.answers import SMALLEST_BUDGET
from otel_sessions.mcp.catalog import answer

LONG = "x" * 900


def test_an_error_tells_as_many_calls_as_fit() -> None:
    """Sessions near one that does not exist are named, the nearest first, as long as there is budget."""

    def near(path: str, _: Any) -> Any:
        if path == "/v1/keys":
            return {"data": []}
        return {"data": [{"id": f"{number}{LONG}"} for number in range(5)]} if path == "/v1/sessions" else None

    told = answer(Double(near), "get_session", {"id": "x", "budget": SMALLEST_BUDGET}, now=NOW)
    assert told.is_error
    assert len(told.text) <= SMALLEST_BUDGET
    assert [call["arguments"]["id"] for call in json.loads(told.text)["next"]] == [f"session:0{LONG}"]


def test_a_short_id_without_a_near_one_leads_to_the_list() -> None:
    """A short id is looked for as it is, once; its beginnings would be in every session."""
    looked_for = []

    def nothing(path: str, given: Any) -> Any:
        looked_for.extend([given["q"]] if path == "/v1/sessions" else [])
        return {"data": []} if path in ("/v1/keys", "/v1/sessions") else None

    told = json.loads(answer(Double(nothing), "get_session", {"id": "abc"}, now=NOW).text)
    assert looked_for == ["abc"]
    assert told["error"] == "there is no session 'abc', and none with a similar id"
    assert told["next"] == [{"tool": "list_sessions", "arguments": {"key": "id"}}]

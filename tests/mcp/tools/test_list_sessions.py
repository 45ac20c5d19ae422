"""`list_sessions` asks REST with the conditions that its arguments mean."""

from __future__ import annotations

from typing import Any

from tests.mcp.asks import told_of
from tests.mcp.stored import Stored, session


def test_maps_become_conditions_by_name() -> None:
    """Each entry of a map is a condition; truths are written as JSON writes them."""
    stored = Stored(sessions=[session()])
    told = told_of(
        stored, "list_sessions", metadata={"night": True, "team": "a"}, min_score={"tone": 0.5}, label={"tone": "warm"}
    )
    asked = stored.asked_of("sessions")
    assert {name: asked[name] for name in asked if "." in name} == {
        "metadata.night": "true",
        "metadata.team": "a",
        "min_score.tone": "0.5",
        "label.tone": "warm",
    }
    assert [one["id"] for one in told["sessions"]] == ["session:s"]


def test_sessions_that_do_not_fit_follow() -> None:
    """Where the budget holds fewer sessions than the page, `next` goes on with the first that is not shown."""
    stored = Stored(sessions=[session(id=f"s{number}") for number in range(40)])
    arguments: dict[str, Any] = {"budget": 3_000, "limit": 40}
    found: list[str] = []
    while arguments:
        told = told_of(stored, "list_sessions", arguments)
        found += [one["id"] for one in told["sessions"]]
        arguments = told["next"] and told["next"]["arguments"]
    assert found == [f"session:s{number}" for number in range(40)]


def test_no_session_meets_the_conditions() -> None:
    """The answer says how to find out whether anything arrives."""
    (note,) = told_of(Stored(), "list_sessions", key="ticket")["notes"]
    assert note.startswith("No session with the key 'ticket' meets these conditions. `otel-sessions doctor`")

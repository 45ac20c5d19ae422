"""`search` finds a text in sessions, or within one of them in its messages, steps and log records."""

from __future__ import annotations

from typing import Any

import pytest
from tests.mcp.asks import NOW, told_of
from tests.mcp.stored import SPAN_ID, Stored, log, message, session, step
from tests.mcp.synthetic import TIME

from otel_sessions.mcp.logs_shown import log_ref
from otel_sessions.mcp.refs import SessionRef
from otel_sessions.timestamps import DAY_NS, SECOND_NS, format_time

SAID = message({"type": "text", "content": "no"}, {"type": "text", "content": "The Needle is here"}, index=4)


def _stored() -> Stored:
    return Stored(
        sessions=[session()],
        messages=[SAID],
        steps=[step(name="needle", tool=None, failed=True)],
        logs=[log(body="needle in a log", severity_text="WARN")],
    )


@pytest.mark.parametrize("ref", ["s", "session:s", "turn:0:s", "message:4:s"])
def test_within_a_session_everything_is_looked_through(ref: str) -> None:
    """Messages come first, then steps, then log records, each with the id that reads it."""
    told = told_of(_stored(), "search", query="needle", id=ref)
    found, ran, logged = told["found"]
    assert (told["session"], told["total"], told["next"]) == ("session:s", 3, None)
    assert (found["kind"], found["id"], found["excerpt"]) == ("message", "message:4:s", "The Needle is here")
    assert (ran["id"], ran["name"], ran["failed"]) == (SPAN_ID, "needle", True)
    reference = log_ref(_stored().get("/v1/sessions/s/logs")["data"][0], SessionRef("id", "s"))
    assert (logged["kind"], logged["id"], logged["severity"]) == ("log", str(reference), "WARN")
    assert logged["excerpt"] == "needle in a log"


def test_a_long_text_is_excerpted() -> None:
    """The excerpt begins shortly before what was found, and names the call that reads the part whole."""
    part = {"type": "text", "content": "x" * 5_000 + "needle" + "y" * 5_000}
    told = told_of(Stored(messages=[message(part, index=0)]), "search", query="NEEDLE", id="s")
    (found,) = told["found"]
    assert "needle" in found["excerpt"]
    assert found["length"] == 10_006
    assert found["read"] == {"tool": "get_payload", "arguments": {"id": "message:0:s", "field": "parts.0.content"}}


def test_a_text_that_rest_has_cut_away_has_no_excerpt() -> None:
    """The message is told all the same."""
    told = told_of(Stored(messages=[message(index=0)]), "search", query="needle", id="s")
    assert [(one["id"], one["excerpt"]) for one in told["found"]] == [("message:0:s", "")]


def test_pages_of_hits_go_on_across_kinds() -> None:
    """Following `next` gives each hit once."""
    stored = Stored(messages=[SAID] * 2, steps=[step()] * 3, logs=[log(body="needle")] * 2)
    arguments: dict[str, Any] = {"query": "needle", "id": "s", "limit": 2}
    kinds: list[str] = []
    while arguments:
        told = told_of(stored, "search", arguments)
        kinds += [one["kind"] for one in told["found"]]
        arguments = told["next"] and told["next"]["arguments"]
    assert kinds == ["message"] * 2 + ["step"] * 3 + ["log"] * 2


def test_nothing_is_found() -> None:
    """The answer says what cannot be searched."""
    told = told_of(Stored(), "search", query="needle", id="s")
    assert (told["found"], told["total"]) == ([], 0)
    assert told["notes"] == ["Nothing in this session has this text; content that was not captured cannot be searched."]
    (note,) = told_of(Stored(), "search", query="needle")["notes"]
    assert note.startswith("No session of the key 'id' has this text")


@pytest.mark.parametrize(
    ("since", "asked"),
    [
        ("2h", format_time(NOW - 2 * 3_600 * SECOND_NS)),
        (" Today ", format_time(NOW - NOW % DAY_NS)),
        (TIME, TIME),
    ],
)
def test_sessions_since_a_time(since: str, asked: str) -> None:
    """An age becomes a time for the server, and `next` asks with the same words."""
    stored = Stored(sessions=[session(id=f"s{number}") for number in range(3)], messages=[SAID])
    told = told_of(stored, "search", query="needle", since=since, limit=2)
    assert stored.asked_of("sessions")["since"] == asked
    assert [one["id"] for one in told["sessions"]] == ["session:s0", "session:s1"]
    assert told["sessions"][0]["found"]["id"] == "message:4:s0"
    assert (told["next"]["arguments"]["offset"], told["next"]["arguments"]["since"]) == (2, since)


def test_a_session_may_be_found_by_its_name_alone() -> None:
    """Then it is listed without an excerpt, with the call that looks inside."""
    (found,) = told_of(Stored(sessions=[session(name="needle")]), "search", query="needle")["sessions"]
    assert (found["name"], "found" in found) == ("needle", False)
    assert found["look_inside"] == {"tool": "search", "arguments": {"query": "needle", "id": "session:s"}}

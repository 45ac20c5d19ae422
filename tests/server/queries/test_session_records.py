"""What is read for a conversation: of records in traces and in none, while a session changes, and of records of a Collector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.server.conversing import AT, Talks, any_value, call, record, said, span

from otel_sessions.counting.ledger import Unit
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.messages import _conversation
from otel_sessions.server.queries.resolved_sessions import ResolvedSession
from otel_sessions.server.queries.resolving import calls_of_unit

EVENT = "gen_ai.client.inference.operation.details"


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    """A server that the tests share."""
    folder = tmp_path_factory.mktemp("records")
    talks = Talks(f"chdb://{folder}", "records", folder)
    yield talks
    talks.backend.close()


def spoken(session: str, text: str, **more: Any) -> dict[str, Any]:
    """The attributes of a call of an agent with one question and one answer."""
    return {**call([said("user", text)], [said("assistant", f"{text}!")], session_id=session), **more}


def test_agents_in_log_records(talks: Talks) -> None:
    """Messages of log records in no trace have the lanes of their agents; sessions beside them have their own messages."""
    for number, session in enumerate(("a", "b")):
        agent = {"gen_ai.agent.name": f"agent of {session}", "gen_ai.agent.id": session}
        talks.send_logs(
            record(spoken(session, f"Hello from {session}", **agent), event=EVENT, at=AT + number),
            record({"session.id": session, **agent}, at=AT + 10 + number, body={"stringValue": "noted"}),
        )
    for session in ("a", "b"):
        assert [text for _, text in talks.told(session)] == [f"Hello from {session}", f"Hello from {session}!"]


def test_two_sessions_in_a_trace(talks: Talks) -> None:
    """A trace of two sessions tells each of its own messages alone."""
    talks.send(
        span(5, 1, spoken("left", "L")),
        span(5, 2, spoken("right", "R"), parentSpanId=f"{1:016x}"),
    )
    assert [text for _, text in talks.told("left")] == ["L", "L!"]
    assert [text for _, text in talks.told("right")] == ["R", "R!"]


def test_events_in_a_trace_of_two_sessions(talks: Talks) -> None:
    """A log record that names no session is told in the session of its span, not in the others of the trace."""
    quiet = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    talks.send(
        span(10, 1, {**quiet, "session.id": "west"}),
        span(10, 2, {**quiet, "session.id": "east"}, parentSpanId=f"{1:016x}"),
    )
    talks.send_logs(
        record(
            {"gen_ai.system": "openai"},
            event="gen_ai.user.message",
            traceId=f"{10:032x}",
            spanId=f"{2:016x}",
            body=any_value({"content": "By event"}),
        )
    )
    assert "By event" in [text for _, text in talks.told("east")]
    assert "By event" not in [text for _, text in talks.told("west")]


def test_nothing_is_kept(talks: Talks) -> None:
    """Without a cache the conversation is the same."""
    talks.send(span(6, 1, spoken("kept", "K")))
    talks.backend.settle()
    kept = _conversation(talks.backend.store, ("id", "kept"), None, None)
    assert kept is not None
    assert len(kept.lines) == len(talks.messages("kept")) == 2


def test_a_unit_that_is_not_stored_yet() -> None:
    """A unit of which no facts are found has no calls."""
    resolved = ResolvedSession(1, {}, {7: Unit(0, None, None)})
    assert calls_of_unit(resolved, 7, ("id", "s")) == []


def test_one_cohort(talks: Talks) -> None:
    """The sessions that meet the conditions are one cohort, and none are no cohort."""
    talks.send(span(9, 1, spoken("compared", "C")))
    found = talks.backend.reader.cohort_of(SessionFilters(q="compared"))
    assert found is not None
    assert found.sessions == 1
    assert talks.backend.reader.cohort_of(SessionFilters(q="no such session")) is None


def test_log_records_without_a_place(talks: Talks) -> None:
    """Log records that a Collector wrote have no place in the segments of the server; they are found by what they are."""
    talks.send(span(8, 1, {"session.id": "logged"}))
    talks.send_logs(record({}, traceId=f"{8:032x}", body={"stringValue": "ours"}))
    talks.backend.settle()
    with talks.backend.store.writing() as client:
        client.command("ALTER TABLE otel_logs UPDATE Segment = 0 WHERE 1", settings={"mutations_sync": 2})
    assert [one["body"] for one in talks.get("/sessions/logged/logs")["data"]] == ["ours"]

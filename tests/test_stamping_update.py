"""`update_session` and the current span: what is brought up to date, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.trace import Tracer, use_span
from tests.recording import attributes_of, lent

from otel_sessions import (
    propagate_sessions,
    update_session,
)


@pytest.mark.parametrize("fields", [{}, {"user_id": "u"}])
def test_a_loop_that_sets_the_id_late_cuts_too(tracer: Tracer, fields: dict[str, Any]) -> None:
    """A span around scopes that get their ids by updates is cut."""
    with tracer.start_as_current_span("worker") as worker:
        for name in "ab":
            with propagate_sessions(**fields):
                update_session(name)
    assert attributes_of(worker)["session.cut"] == ("id",)


def test_an_update_in_a_sibling_gives_a_cut_span_nothing(tracer: Tracer) -> None:
    """A span that belongs to neither of two siblings does not get the ticket of the third."""
    with tracer.start_as_current_span("worker") as worker:
        for name in "abc":
            with propagate_sessions(name):
                update_session(ticket=name)
        found = lent(tracer, worker)
    assert "session.key.ticket" not in found


@pytest.mark.parametrize("update", [{"session_id": "bad\n"}, {"keys": {"id": None}}])
def test_an_update_does_not_cut_a_span_of_another_session(tracer: Tracer, update: dict[str, Any]) -> None:
    """A wrong update of an inner scope leaves the server span in its own session."""
    with propagate_sessions("own"):
        server = tracer.start_span("server")
    with use_span(server), propagate_sessions("b"):
        update_session(**update)
    assert attributes_of(server) == {"session.id": "own"}


def test_update_session_brings_the_current_span_up_to_date(tracer: Tracer) -> None:
    """Attributes of the scope are replaced, missing ones are added, and those of others stay."""
    with (
        propagate_sessions("a", session_name="n", ticket=1),
        tracer.start_as_current_span("inside", attributes={"user.id": "own"}) as span,
    ):
        update_session("b", session_name="m", user_id="u", ticket=2, attempt=3)
        assert attributes_of(span) == {
            "user.id": "own",
            "session.id": "b",
            "session.name": "m",
            "session.key.ticket": "2",
            "session.key.attempt": "3",
        }


def test_update_session_of_a_span_stamped_late_is_still_cut_by_siblings(tracer: Tracer) -> None:
    """The server span follows its scope's update, and a sibling contradicts the new value."""
    with tracer.start_as_current_span("server") as server:
        with propagate_sessions("a"):
            update_session("b", ticket=1)
        assert attributes_of(server) == {"session.id": "b", "session.key.ticket": "1"}
        with propagate_sessions("b"):
            pass
        assert "session.cut" not in attributes_of(server)
        with propagate_sessions("c", ticket=2):
            pass
        assert attributes_of(server)["session.cut"] == ("id", "ticket")


def test_update_session_with_nothing_new_writes_nothing(tracer: Tracer) -> None:
    """An update without changes writes nothing on the span."""
    with propagate_sessions("a"), tracer.start_as_current_span("inside") as span:
        update_session("a")
        update_session()
        assert attributes_of(span) == {"session.id": "a"}


def test_an_update_that_cuts_holds_for_later_spans(tracer: Tracer) -> None:
    """The current span stays in the session of the key that an update cuts, and later spans do not get it."""
    with propagate_sessions("a", run=1), tracer.start_as_current_span("inside") as span:
        update_session(keys={"run": None})
        assert attributes_of(span) == {"session.id": "a", "session.key.run": "1"}
        assert attributes_of(tracer.start_span("later")) == {"session.id": "a", "session.cut": ("run",)}


def test_an_update_in_a_sibling_of_the_same_session_cuts(tracer: Tracer) -> None:
    """The span around two scopes of a session is cut when an update changes the session of the second."""
    with tracer.start_as_current_span("worker") as worker:
        with propagate_sessions("a"):
            pass
        with propagate_sessions("a"):
            update_session("b")
        assert attributes_of(worker) == {"session.id": "a", "session.cut": ("id",)}


def test_an_update_of_an_inner_scope_leaves_the_span_of_the_outer_one(tracer: Tracer) -> None:
    """The span of the outer scope stays in the outer session, stamped late or at its start."""
    with tracer.start_as_current_span("server") as server, propagate_sessions("a"):
        with tracer.start_as_current_span("inside") as inside, propagate_sessions(tags=["t"]):
            update_session("b")
        assert attributes_of(inside)["session.id"] == "a"
        with propagate_sessions(tags=["t"]):
            update_session("b")
        assert attributes_of(server)["session.id"] == "a"


def test_an_update_leaves_a_span_of_another_session(tracer: Tracer) -> None:
    """No attribute of a span of another session changes."""
    with propagate_sessions("own"), tracer.start_as_current_span("server") as server, propagate_sessions("b"):
        update_session(session_name="n", user_id="u", ticket=1)
        assert attributes_of(server) == {"session.id": "own"}


def test_a_refused_update_leaves_the_session(tracer: Tracer) -> None:
    """Later spans carry no id after a refused one, and earlier spans keep theirs."""
    with propagate_sessions("a"), tracer.start_as_current_span("inside") as span:
        update_session("bad\n")
        assert attributes_of(span) == {"session.id": "a"}
        assert attributes_of(tracer.start_span("later")) == {"session.cut": ("id",)}

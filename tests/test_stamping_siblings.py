"""Sibling scopes under one span: with different values the span belongs to neither."""

from __future__ import annotations

import asyncio

from opentelemetry.trace import Tracer
from tests.recording import Spans, attributes_of, lent

from otel_sessions import (
    bind_session,
    propagate_sessions,
)
from otel_sessions.stamping import session_of


def test_a_span_that_started_in_a_session_is_never_cut(tracer: Tracer) -> None:
    """Scopes with other values inside a span's own session do not cut it."""
    with propagate_sessions("own"), tracer.start_as_current_span("server") as server:
        for name in "ab":
            with propagate_sessions(name):
                pass
    assert attributes_of(server) == {"session.id": "own"}


def test_a_workers_loop_cuts_the_span_around_it(tracer: Tracer, spans: Spans) -> None:
    """A span around sibling scopes with different ids belongs to neither and lends nothing."""
    with tracer.start_as_current_span("worker") as worker:
        for name in ("a", "b", "c"):
            with propagate_sessions(name), tracer.start_as_current_span(name):
                pass
        assert "session.cut" in attributes_of(worker)
        assert "session.id" not in lent(tracer, worker)
        assert session_of(worker).id is None
    assert spans.attributes("worker") == {"session.id": "a", "session.cut": ("id",)}
    assert spans.ids() == {"a": "a", "b": "b", "c": "c", "worker": "a"}


def test_siblings_of_the_same_session_cut_nothing(tracer: Tracer) -> None:
    """Two scopes of one session under a span do not cut it."""
    with tracer.start_as_current_span("server") as server:
        for _ in range(2):
            with propagate_sessions("a", user_id="u"):
                pass
        with propagate_sessions(user_id="other"):
            pass
        assert attributes_of(server) == {"session.id": "a", "user.id": "u"}


def test_an_inner_scope_is_no_sibling(tracer: Tracer) -> None:
    """A session inside the handler's own does not cut the server span."""
    with tracer.start_as_current_span("server") as server:
        with propagate_sessions("a"):
            with propagate_sessions("b"):
                bind_session(lambda: None)()
            with propagate_sessions("c"):
                pass
        assert attributes_of(server) == {"session.id": "a"}


def test_inner_siblings_under_a_scope_without_an_id_cut(tracer: Tracer) -> None:
    """Sibling sessions inside a scope with tags only cut the span."""
    with tracer.start_as_current_span("server") as server, propagate_sessions(tags=["t"]):
        for name in "ab":
            with propagate_sessions(name):
                pass
    assert attributes_of(server) == {"session.tags": ("t",), "session.id": "a", "session.cut": ("id",)}


def test_only_the_contradicted_keys_are_cut(tracer: Tracer) -> None:
    """Keys that the siblings agree on stay in force, for the span and its children."""
    with tracer.start_as_current_span("worker") as worker:
        for ticket in (1, 2, 3):
            with propagate_sessions("run", ticket=ticket, queue="q"):
                pass
        assert attributes_of(worker) == {
            "session.id": "run",
            "session.key.ticket": "1",
            "session.key.queue": "q",
            "session.cut": ("ticket",),
        }
        found = lent(tracer, worker)
    assert (found["session.id"], found["session.key.queue"]) == ("run", "q")
    assert "session.key.ticket" not in found


def test_keys_are_cut_one_after_the_other(tracer: Tracer) -> None:
    """Each contradiction adds its key once."""
    with tracer.start_as_current_span("worker") as worker:
        for name, ticket in (("a", 1), ("a", 2), ("b", 2), ("c", 3)):
            with propagate_sessions(name, ticket=ticket):
                pass
    assert attributes_of(worker)["session.cut"] == ("ticket", "id")


def test_a_span_with_keys_only_is_cut_too(tracer: Tracer) -> None:
    """A span without an id is cut from a key that siblings disagree on."""
    with tracer.start_as_current_span("worker") as worker:
        for ticket in (1, 2):
            with propagate_sessions(ticket=ticket):
                pass
    assert attributes_of(worker) == {"session.key.ticket": "1", "session.cut": ("ticket",)}


def test_a_cut_span_with_keys_only_lends_nothing(tracer: Tracer) -> None:
    """A child with a cut span as explicit parent does not get the first ticket."""
    with tracer.start_as_current_span("worker") as worker:
        for ticket in (1, 2):
            with propagate_sessions(ticket=ticket):
                pass
        assert "session.key.ticket" not in lent(tracer, worker)


def test_concurrent_siblings_cut_the_span_around_them(tracer: Tracer, spans: Spans) -> None:
    """Each task under `asyncio.gather` keeps its own session, and the span around them has none."""

    async def work(name: str) -> None:
        async with propagate_sessions(name):
            await asyncio.sleep(0)
            with tracer.start_as_current_span(name):
                await asyncio.sleep(0)

    async def main() -> None:
        with tracer.start_as_current_span("worker"):
            await asyncio.gather(*(work(name) for name in "abcd"))

    asyncio.run(main())
    assert spans.attributes("worker")["session.cut"] == ("id",)
    assert spans.ids() == {"a": "a", "b": "b", "c": "c", "d": "d", "worker": "a"}

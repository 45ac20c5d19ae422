"""Sessions on spans: the span that is current on entry, what a parent lends, and spans that misbehave."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, Tracer, set_span_in_context, use_span
from tests.recording import attributes_of, lent

from otel_sessions import (
    Session,
    SessionSpanProcessor,
    dropped_values,
    no_session,
    propagate_sessions,
    update_session,
)
from otel_sessions.stamping import missing, read_session


def test_the_open_span_gets_the_session_on_entry(tracer: Tracer) -> None:
    """A server span that the framework opened belongs to the session that its handler enters."""
    with tracer.start_as_current_span("server", attributes={"http.route": "/"}) as server:
        with propagate_sessions("a", user_id="u", tags=["t"], ticket=1, metadata={"m": 1}):
            pass
        assert attributes_of(server) == {
            "http.route": "/",
            "session.id": "a",
            "session.key.ticket": "1",
            "user.id": "u",
            "session.tags": ("t",),
            "session.metadata.m": 1,
        }


def test_what_the_open_span_has_already_stays(tracer: Tracer) -> None:
    """Entering a scope overwrites no attribute."""
    with tracer.start_as_current_span("server", attributes={"user.id": "own", "session.name": "own"}) as server:
        with propagate_sessions("a", user_id="u", session_name="n"):
            pass
        assert attributes_of(server) == {"user.id": "own", "session.name": "own", "session.id": "a"}


@pytest.mark.parametrize(
    "own", [{"session.id": "own"}, {"session.key.ticket": "7"}, {"session.cut": ("id",)}, {"session.cut": ("*",)}]
)
def test_an_open_span_with_a_session_is_left_alone(tracer: Tracer, own: dict[str, Any]) -> None:
    """A span with a session from its start keeps it, and no sibling cuts it."""
    with tracer.start_as_current_span("server", attributes=own) as server:
        for name in "ab":
            with propagate_sessions(name, ticket=name):
                pass
        assert attributes_of(server) == own


def test_an_ended_span_is_left_alone(tracer: Tracer) -> None:
    """No attribute is written on a span that has ended, nor on the invalid span."""
    server = tracer.start_span("server")
    server.end()
    with use_span(server), propagate_sessions("a"):
        update_session("b")
    with propagate_sessions("a"):
        update_session("b")
    assert attributes_of(server) == {}
    assert dropped_values() == {}


def test_no_session_says_nothing_on_the_open_span(tracer: Tracer) -> None:
    """A background job started inside a request does not take the request out of its session."""
    with tracer.start_as_current_span("server") as server:
        with no_session():
            pass
        with propagate_sessions("\n"):
            pass
        with propagate_sessions("a", keys={"ticket": None}):
            pass
        assert attributes_of(server) == {"session.id": "a"}


@pytest.mark.parametrize(
    "fields",
    [
        {"session_id": "a", "user_id": "u", "session_name": "n", "tags": ["t"], "metadata": {"m": 1.5}, "ticket": 1},
        {"ticket": 1, "attempt": 2},
        {"user_id": "u"},
        {"session_id": "bad\n", "ticket": 1},
    ],
)
def test_a_parent_lends_what_it_was_stamped_with(tracer: Tracer, fields: dict[str, Any]) -> None:
    """A child with an explicit parent in a fresh context carries the same session, also one without an id."""
    with propagate_sessions(**fields):
        parent = tracer.start_span("parent")
    assert attributes_of(parent)
    assert lent(tracer, parent) == attributes_of(parent)


def test_a_parent_lends_what_it_was_given_late(tracer: Tracer) -> None:
    """A span that was stamped on entry or by an update lends that to its children and grandchildren."""
    with tracer.start_as_current_span("server") as server, propagate_sessions(ticket=1):
        assert lent(tracer, server) == {"session.key.ticket": "1"}
        update_session(user_id="u")
        child = tracer.start_span("child", context=set_span_in_context(server, Context()))
        assert lent(tracer, child) == {"session.key.ticket": "1", "user.id": "u"}
        update_session("a")
        assert lent(tracer, server)["session.id"] == "a"


def test_a_parent_lends_an_id_that_was_set_by_hand(tracer: Tracer) -> None:
    """A `session.id` that an app or an instrumentation sets itself is lent if it passes the rules."""
    parent = tracer.start_span("parent")
    parent.set_attribute("session.id", "own")
    parent.set_attribute("session.key.ticket", 7)
    assert lent(tracer, parent) == {"session.id": "own", "session.key.ticket": "7"}


def test_a_parent_does_not_lend_keys_that_were_set_by_hand_without_an_id(tracer: Tracer) -> None:
    """Keys that were set by hand without an id are not lent, since finding them would take reading all attributes."""
    parent = tracer.start_span("parent", attributes={"session.key.ticket": "7", "user.id": "u"})
    assert lent(tracer, parent) == {}


@pytest.mark.parametrize("value", ["x" * 201, "", "é", True, 1.5, ["a", "b"]])
def test_an_id_that_breaks_the_rules_is_not_lent(tracer: Tracer, value: Any) -> None:
    """A parent's id that breaks the rules is dropped and counted."""
    parent = tracer.start_span("parent", attributes={"session.id": value, "user.id": "u"})
    assert lent(tracer, parent) == {"user.id": "u"}
    assert len(dropped_values()) == 1


def test_spans_are_not_kept_alive(provider: TracerProvider) -> None:
    """Notes about a span are removed with the span."""
    quiet = TracerProvider(shutdown_on_exit=False)
    quiet.add_span_processor(SessionSpanProcessor())
    span = quiet.get_tracer("tests").start_span("server")
    with use_span(span), propagate_sessions(ticket=1):
        pass
    gone = weakref.ref(span)
    span.end()
    del span
    gc.collect()
    assert gone() is None


class HostileSpan(NonRecordingSpan):
    """A recording span of someone else whose parts may raise."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(INVALID_SPAN_CONTEXT)
        self._parts = parts

    def is_recording(self) -> bool:
        """Always."""
        return True

    @property
    def attributes(self) -> Any:
        """What the test wants, or an exception."""
        return self._part("attributes")

    def set_attributes(self, attributes: Any) -> None:
        """Refuse, if the test wants that."""
        self._part("set_attributes")

    def _part(self, name: str) -> Any:
        part = self._parts.get(name)
        if isinstance(part, Exception):
            raise part
        return part


@pytest.mark.parametrize(
    "parts",
    [{"attributes": RuntimeError()}, {"attributes": 7}, {"attributes": {}, "set_attributes": RuntimeError()}],
)
def test_a_hostile_current_span_does_not_keep_us_from_entering(tracer: Tracer, parts: dict[str, Any]) -> None:
    """The scope is in force although the span's attributes raise, and the fault is counted."""
    span: Any = HostileSpan(**parts)
    with use_span(span, record_exception=False, set_status_on_exception=False), propagate_sessions("a") as session:
        assert session.id == "a"
        update_session("b")
    assert dropped_values()["span", "raised"] >= 1


def test_a_current_span_that_hides_its_attributes_is_left_alone() -> None:
    """A span whose attributes cannot be read is not written to, since it might be overwritten."""
    span: Any = HostileSpan(attributes=None, set_attributes=RuntimeError())
    with use_span(span, record_exception=False, set_status_on_exception=False), propagate_sessions("a"):
        update_session("b")
    assert dropped_values() == {}


def test_read_session_leaves_out_what_a_span_was_cut_from() -> None:
    """Cut keys are left out; a span cut from all keeps user, name, tags and metadata only."""
    attributes = {
        "session.id": "a",
        "session.key.ticket": "1",
        "session.key.queue": "q",
        "session.metadata.m": 1,
        "user.id": "u",
        "other": 1,
    }
    assert read_session(attributes) == Session("a", {"ticket": "1", "queue": "q"}, user_id="u", metadata={"m": 1})
    assert read_session({**attributes, "session.cut": ("ticket",)}).values() == {"id": "a", "queue": "q"}
    assert read_session({**attributes, "session.cut": ("id", "queue")}).values() == {"ticket": "1"}
    assert read_session({**attributes, "session.cut": ("*",)}).values() == {}


@given(
    st.dictionaries(
        st.sampled_from(["session.id", "session.cut", "session.key.a", "session.metadata.b", "session.tags", "x"]),
        st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.text()), st.booleans()),
    )
)
def test_reading_any_attributes_never_raises(attributes: dict[str, Any]) -> None:
    """Attributes of any type give a session that passes the rules."""
    session = read_session(attributes)
    assert Session.from_dict(session.to_dict(), strict=True) == session


@given(st.dictionaries(st.sampled_from("abc"), st.integers()), st.dictionaries(st.sampled_from("bcd"), st.integers()))
def test_missing_is_what_is_not_present(attributes: dict[str, Any], present: dict[str, Any]) -> None:
    """Attributes that the span lacks are returned, all of them if it has none."""
    assert missing(attributes, present) == {name: attributes[name] for name in attributes.keys() - present.keys()}


def test_two_scopes_that_find_a_span_at_once() -> None:
    """The second of two scopes sees what the first one stamped meanwhile, and leaves the span alone."""

    class Overtaken(NonRecordingSpan):
        """A span that another scope stamps after its attributes were read first."""

        def __init__(self) -> None:
            super().__init__(INVALID_SPAN_CONTEXT)
            self.looks = 0
            self.written: list[Any] = []

        def is_recording(self) -> bool:
            return True

        @property
        def attributes(self) -> dict[str, str]:
            self.looks += 1
            return {} if self.looks == 1 else {"session.id": "first"}

        def set_attributes(self, attributes: Any) -> None:
            self.written.append(attributes)

    server = Overtaken()
    with use_span(server), propagate_sessions("second"):
        pass
    assert (server.looks, server.written) == (2, [])

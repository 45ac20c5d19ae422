"""Sessions of other SDKs in the OpenTelemetry Context."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openinference.instrumentation import using_attributes, using_session, using_user
from opentelemetry.context import Context, attach, set_value
from opentelemetry.trace import Tracer
from tests.recording import attributes_of

from otel_sessions import Limits, Session, dropped_values, propagate_sessions
from otel_sessions.dialects.ambient import read_ambient


def context_of(entries: dict[str, Any]) -> Context:
    """A context with these plain keys."""
    context = Context()
    for name, value in entries.items():
        context = set_value(name, value, context)
    return context


OPENINFERENCE = {
    "session.id": "a",
    "user.id": "u",
    "tag.tags": ["x", "y"],
    "metadata": json.dumps({"tier": 3, "nested": {"dropped": 1}, "list": [1]}),
}
LANGFUSE = {
    "langfuse.propagated.session_id": "a",
    "langfuse.propagated.user_id": "u",
    "langfuse.propagated.tags": ["x", "y"],
    "langfuse.propagated.metadata": {"tier": 3, "nested": {}},
}
TRACELOOP = {"association_properties": {"session_id": "a", "user_id": "u", "tier": 3, "nested": {}}}


@pytest.mark.parametrize(("entries", "tags"), [(OPENINFERENCE, ("x", "y")), (LANGFUSE, ("x", "y")), (TRACELOOP, ())])
def test_each_sdk_is_read(entries: dict[str, Any], tags: tuple[str, ...]) -> None:
    """Id, user, tags and scalar metadata of each SDK are read; nested metadata is left out without a count."""
    assert read_ambient(context_of(entries)) == Session("a", user_id="u", tags=tags, metadata={"tier": 3})
    assert dropped_values() == {}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({"session.id": "a"}, Session("a")),
        ({"user.id": "u"}, Session(user_id="u")),
        ({"langfuse.propagated.session_id": "a"}, Session("a")),
        ({"langfuse.propagated.user_id": "u"}, Session(user_id="u")),
        ({"association_properties": {"session_id": 7}}, Session("7")),
        ({"association_properties": {"user_id": "u"}}, Session(user_id="u")),
    ],
)
def test_an_id_or_a_user_alone_is_enough(entries: dict[str, Any], expected: Session) -> None:
    """A session may have an id or a user alone."""
    assert read_ambient(context_of(entries)) == expected


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"tag.tags": ["x"], "metadata": "{}"},
        {"langfuse.propagated.tags": ["x"]},
        {"association_properties": None},
        {"association_properties": ["session_id"]},
        {"association_properties": {}},
        {"association_properties": {"nested": {}}},
    ],
)
def test_without_a_session_or_user_there_is_nothing(entries: dict[str, Any]) -> None:
    """Tags without a session are no session."""
    assert read_ambient(context_of(entries)) == Session()
    assert dropped_values() == {}


def test_properties_of_traceloop_alone_are_no_session() -> None:
    """Properties without a session or user are not a session, so that baggage is read."""
    assert read_ambient(context_of({"association_properties": {"tier": 3}})) == Session()


def test_the_first_sdk_that_has_a_session_decides() -> None:
    """The first of OpenInference, Langfuse and Traceloop that has a session gives all of it."""
    traceloop = {"association_properties": {"session_id": "traceloop", "tier": 3}}
    langfuse = {"langfuse.propagated.session_id": "langfuse"}
    openinference = {"session.id": "openinference"}
    assert read_ambient(context_of({**traceloop, **langfuse, **openinference})) == Session("openinference")
    assert read_ambient(context_of({**traceloop, **langfuse})) == Session("langfuse")
    assert read_ambient(context_of(traceloop)) == Session("traceloop", metadata={"tier": 3})


def test_a_refused_session_gives_way_to_the_next_sdk() -> None:
    """A session that the rules refuse is counted, and the next SDK is read."""
    entries = {"session.id": "é", "langfuse.propagated.session_id": "a"}
    assert read_ambient(context_of(entries)) == Session("a")
    assert dropped_values() == {("session_id", "characters"): 1}
    assert read_ambient(context_of({"session.id": "long id"}), limits=Limits(id_length=3)) == Session()


@pytest.mark.parametrize("metadata", ["not json", "[1]", "7", "", None, 7, b"{}", object()])
def test_metadata_that_is_no_object_is_left_out(metadata: object) -> None:
    """OpenInference's metadata counts only as the JSON text of an object."""
    assert read_ambient(context_of({"session.id": "a", "metadata": metadata})) == Session("a")
    assert dropped_values() == {}


@pytest.mark.parametrize("value", [None, 7.5, b"x", ["a"], {}, True, "", "x" * 201, object()])
def test_hostile_values(value: object) -> None:
    """Nothing raises, whatever values the SDKs' keys have."""
    entries = {**OPENINFERENCE, **LANGFUSE}
    context = context_of(dict.fromkeys([*entries, "association_properties"], value))
    assert read_ambient(context).id is None


def test_openinference_itself_is_read(tracer: Tracer) -> None:
    """A session of OpenInference's real context managers is read under a span, as its instrumentors read it."""
    with tracer.start_as_current_span("agent"):
        with using_session("a"), using_user("u"):
            assert attributes_of(tracer.start_span("call")) == {"session.id": "a", "user.id": "u"}
        with using_attributes(session_id="b", metadata={"tier": 3}, tags=["x"]):
            assert attributes_of(tracer.start_span("call")) == {
                "session.id": "b",
                "session.tags": ("x",),
                "session.metadata.tier": 3,
            }
        assert attributes_of(tracer.start_span("call")) == {}


def test_openinference_is_read_for_a_root_span(tracer: Tracer) -> None:
    """A root span gets the session of OpenInference from the context."""
    with using_session("a"):
        assert attributes_of(tracer.start_span("agent")) == {"session.id": "a"}


@pytest.mark.parametrize("entries", [OPENINFERENCE, LANGFUSE, TRACELOOP])
def test_our_scope_wins(tracer: Tracer, entries: dict[str, Any]) -> None:
    """The other SDK's session is read only without one of our own."""
    with tracer.start_as_current_span("agent"):
        for name, value in entries.items():
            attach(set_value(name, value))
        assert attributes_of(tracer.start_span("call"))["session.id"] == "a"
        with propagate_sessions("ours"):
            assert attributes_of(tracer.start_span("call")) == {"session.id": "ours"}

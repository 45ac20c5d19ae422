"""Where a session is looked for, in which order, and that sources are not mixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, attach, get_current, set_value
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer, set_span_in_context

from otel_sessions import Limits, Session, dropped_values, no_session, propagate_sessions
from otel_sessions.resolve import ACCEPT_BAGGAGE, Resolver

REMOTE = NonRecordingSpan(SpanContext(0x1, 0x1, is_remote=True, trace_flags=TraceFlags(1)))


def received(context: Context | None = None, /, **entries: object) -> Context:
    """A context as an incoming request leaves it: a remote parent and baggage; `__` stands for a dot."""
    context = set_span_in_context(REMOTE, Context() if context is None else context)
    for name, value in entries.items():
        context = baggage.set_baggage(name.replace("__", "."), value, context)
    return context


def found(context: Context, **options: Any) -> Session:
    """The session that a resolver with these options finds."""
    return Resolver(**options).session(context)


def test_the_current_context_is_the_default() -> None:
    """The current context is read by default, and without a session there the result is empty."""
    resolver = Resolver()
    assert resolver.session(None) == Session()
    with propagate_sessions("a"):
        assert resolver.session(None).id == "a"
        assert resolver.session(Context()) == Session()


def with_scope(context: Context) -> Context:
    """A scope of ours on top."""
    attach(context)
    with propagate_sessions("scope"):
        return get_current()


def with_parent(tracer: Tracer) -> Callable[[Context], Context]:
    """A local parent span that has a session."""
    parent = tracer.start_span("parent", attributes={"session.id": "parent"}, context=Context())
    return lambda context: set_span_in_context(parent, context)


def with_ambient(context: Context) -> Context:
    """Another SDK's session."""
    return set_value("session.id", "ambient", context)


def with_baggage(context: Context) -> Context:
    """Received baggage."""
    return baggage.set_baggage("session.id", "baggage", context)


@pytest.mark.parametrize("first", range(4))
def test_the_order_of_sources(tracer: Tracer, first: int) -> None:
    """The scope comes first, then the parent span, then another SDK's session, then baggage."""
    sources = [with_scope, with_parent(tracer), with_ambient, with_baggage]
    context = set_span_in_context(REMOTE, Context())
    for source in reversed(sources[first:]):
        context = source(context)
    assert found(context).id == ["scope", "parent", "ambient", "baggage"][first]


def test_sources_are_not_mixed(tracer: Tracer) -> None:
    """The first source that has a session gives all of it."""
    with propagate_sessions("parent"):
        parent = tracer.start_span("parent")
    context = received(user__id="from baggage", session__key__run="1")
    assert found(set_span_in_context(parent, context)) == Session("parent")
    assert found(set_value("user.id", "ambient", context)) == Session(user_id="ambient")
    attach(context)
    with propagate_sessions(tags=["t"]):
        assert Resolver().session(None) == Session(tags=("t",))


def test_an_empty_scope_decides_too() -> None:
    """`no_session` and an empty scope hide the sources after them."""
    attach(set_value("session.id", "ambient", received(session__id="baggage")))
    for scope in (no_session(), propagate_sessions(), propagate_sessions("bad\n")):
        with scope:
            assert Resolver().session(None).id is None


def test_baggage_is_checked() -> None:
    """Id, keys and user from baggage are checked; a refused one is dropped and counted, the others hold."""
    context = received(session__id="a", session__key__run="7", user__id="u", session__name="n", other="x")
    assert found(context) == Session("a", {"run": "7"}, user_id="u")
    assert dropped_values() == {}
    bad = received(session__id="é", session__key__run="7", user__id="x" * 201, session__key__id="x")
    assert found(baggage.set_baggage("session.key.a b", "x", bad)) == Session(keys={"run": "7"})
    assert dropped_values() == {
        ("session_id", "characters"): 1,
        ("user_id", "too_long"): 1,
        ("session_keys", "key_reserved"): 1,
        ("session_keys", "key_characters"): 1,
    }


def test_strict_mode_does_not_make_strangers_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that others sent are dropped and counted, also in strict mode."""
    monkeypatch.setenv("OTEL_SESSIONS_STRICT", "true")
    assert found(received(session__id="é")) == Session()
    assert dropped_values() == {("session_id", "characters"): 1}


@pytest.mark.parametrize("value", [None, 7, b"x", ["a"], float("nan"), True])
def test_baggage_of_other_types(value: object) -> None:
    """In-process baggage may have values of any type, and `None` means not given and cuts nothing."""
    expected = Session("7", {"run": "7"}) if value == 7 else Session()
    context = received(session__id=value, session__key__run=value)
    assert found(context).id == expected.id
    assert found(context).cut == ()


def test_at_most_five_keys_from_baggage() -> None:
    """The limit on keys holds for baggage, and the id keeps its place."""
    entries = {f"session__key__k{number}": "v" for number in range(9)}
    assert list(found(received(**entries, session__id="a")).values()) == ["id", "k0", "k1", "k2", "k3"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (ACCEPT_BAGGAGE, Session("a", {"run": "1", "ticket": "2"}, user_id="u")),
        ((), Session()),
        (["session.id"], Session("a")),
        (["user.id"], Session(user_id="u")),
        (["session.key.run"], Session(keys={"run": "1"})),
        (["session.key.*"], Session(keys={"run": "1", "ticket": "2"})),
        (["session.key.r*", "session.id"], Session("a", {"run": "1"})),
        (["*"], Session("a", {"run": "1", "ticket": "2"}, user_id="u")),
        ((name for name in ("session.id",)), Session("a")),
        (["other"], Session()),
    ],
)
def test_the_allow_list(accept: Iterable[str], expected: Session) -> None:
    """Baggage is accepted by exact name, by a prefix with `*`, or not at all."""
    context = received(session__id="a", session__key__run="1", session__key__ticket="2", user__id="u", other="x")
    assert found(context, accept_baggage=accept) == expected


def test_a_bare_string_is_no_allow_list() -> None:
    """A bare string as allow-list raises an error, since it would be a list of letters."""
    with pytest.raises(TypeError, match=r"'session\.id'; pass a tuple"):
        Resolver(accept_baggage="session.id")


def test_a_header_from_another_service() -> None:
    """A service finds what another one injects, encoded characters included."""
    carrier: dict[str, str] = {}
    with propagate_sessions("a b/é?".replace("é", "c"), user_id="ann, bob", run="x=1;y", baggage=True) as session:
        W3CBaggagePropagator().inject(carrier)
    context = set_span_in_context(REMOTE, W3CBaggagePropagator().extract(carrier, Context()))
    assert found(context) == session


@pytest.mark.parametrize("source", [with_ambient, with_baggage])
def test_a_source_without_any_span(source: Callable[[Context], Context]) -> None:
    """A root span gets another SDK's session or baggage from a context without any span."""
    assert found(source(Context())).id in {"ambient", "baggage"}


def test_a_parent_that_was_cut_lends_nothing_and_others_are_asked(tracer: Tracer) -> None:
    """A child of a cut span gets another SDK's session."""
    with tracer.start_as_current_span("worker"):
        for name in "ab":
            with propagate_sessions(name):
                pass
        assert found(with_ambient(get_current())).id == "ambient"


def test_a_parent_without_any_session_by_choice_ends_the_search(tracer: Tracer) -> None:
    """A child of a span under `no_session` gets neither another SDK's session nor baggage."""
    with no_session():
        parent = tracer.start_span("parent")
    assert found(set_span_in_context(parent, with_ambient(received(session__id="a")))) == Session(cut=("*",))


def test_a_parent_with_a_refused_id_does_not_end_the_search(tracer: Tracer) -> None:
    """Baggage is read below a parent with a refused id, which looks like a cut one after its scope: a documented limit."""
    attach(received(session__id="received"))
    with propagate_sessions("bad\n"):
        parent = tracer.start_span("parent")
        assert Resolver().session(None).id is None
    assert Resolver().session(set_span_in_context(parent)).id == "received"


def test_limits_apply_to_every_source_that_is_not_ours(tracer: Tracer) -> None:
    """Given limits hold for parent spans, other SDKs and baggage."""
    limits = Limits(id_length=3)
    parent = tracer.start_span("parent", attributes={"session.id": "long id"})
    for context in (
        set_span_in_context(parent, Context()),
        set_value("session.id", "long id", received()),
        received(session__id="long id"),
    ):
        assert found(context).id == "long id"
        assert found(context, limits=limits).id is None

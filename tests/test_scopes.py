"""Entering and leaving: the one key in the OpenTelemetry Context, and the baggage beside it."""

from __future__ import annotations

import asyncio
import itertools
from contextvars import Context, copy_context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import attach, get_current, set_value
from opentelemetry.trace import Tracer, get_current_span
from tests.recording import Spans

from otel_sessions import Session, SessionScope, current_session, no_session, propagate_sessions, update_session
from otel_sessions.scopes import SCOPE_KEY, Scope, leave, refresh_baggage, scope_in, session_in


def sent() -> dict[str, Any]:
    """The baggage that an outgoing call would take along."""
    return dict(baggage.get_all())


def header() -> str:
    """The W3C header of an outgoing call."""
    carrier: dict[str, str] = {}
    W3CBaggagePropagator().inject(carrier)
    return carrier.get("baggage", "")


def receive(**entries: object) -> None:
    """Put baggage into the current context, as an incoming request does."""
    context = get_current()
    for name, value in entries.items():
        context = baggage.set_baggage(name.replace("__", "."), value, context)
    attach(context)


def test_leaving_leaves_no_trace_in_the_context() -> None:
    """The context holds our key inside a scope only."""
    before = dict(get_current())
    with propagate_sessions("a"):
        assert SCOPE_KEY in get_current()
    assert dict(get_current()) == before


def test_an_exception_leaves_too() -> None:
    """The outer session is back when an exception passes through, and the exception is the same."""
    error = KeyError("user's own")
    with propagate_sessions("a"):
        with pytest.raises(KeyError) as raised, propagate_sessions("b"):
            raise error
        assert raised.value is error
        assert current_session().id == "a"
    assert not current_session()


def test_what_others_put_into_the_context_stays(tracer: Tracer) -> None:
    """Leaving a scope removes our key, and no current span or value of others."""
    scope = propagate_sessions("a")
    scope.__enter__()
    span = tracer.start_span("opened inside")
    attach(trace.set_span_in_context(span, set_value("theirs", 1)))
    scope.__exit__(None, None, None)
    assert get_current_span() is span
    assert get_current()["theirs"] == 1
    assert not current_session()


def test_leaving_twice_or_elsewhere_does_nothing() -> None:
    """Leaving a scope that is not in force does nothing."""
    inside = propagate_sessions("b")
    with propagate_sessions("a"):
        inside.__exit__(None, None, None)
        leave(object())
        copy_context().run(inside.__enter__)
        inside.__exit__(None, None, None)
        assert current_session().id == "a"
    inside.__exit__(None, None, None)
    assert not current_session()


def test_leaving_an_outer_scope_ends_the_inner_ones() -> None:
    """An inner scope that was never left is undone with the outer one; its own end then does nothing."""
    outer, middle, inner = (propagate_sessions(name) for name in "abc")
    with propagate_sessions("around"):
        for scope in (outer, middle, inner):
            scope.__enter__()
        middle.__exit__(None, None, None)
        assert current_session().id == "a"
        inner.__exit__(None, None, None)
        assert current_session().id == "a"
        outer.__exit__(None, None, None)
        assert current_session().id == "around"


@given(st.lists(st.sampled_from(["enter", "leave"]), max_size=20), st.randoms(use_true_random=False))
def test_any_order_of_exits_gives_a_session_that_was_entered_and_not_left(moves: list[str], random: Any) -> None:
    """Leaving a scope also removes all that were entered inside it, in any order of exits."""

    def run() -> None:
        expected: list[SessionScope] = []
        ids: dict[SessionScope, str] = {}
        numbers = itertools.count()
        for move in moves:
            if move == "enter":
                name = str(next(numbers))
                scope = propagate_sessions(name)
                scope.__enter__()
                ids[scope] = name
                expected.append(scope)
            elif ids:
                scope = random.choice(list(ids))
                scope.__exit__(None, None, None)
                if scope in expected:
                    del expected[expected.index(scope) :]
            assert current_session().id == (ids[expected[-1]] if expected else None)

    copy_context().run(run)


def test_a_foreign_value_under_our_key_is_no_scope() -> None:
    """A value of another type under our key is ignored."""
    context = set_value(SCOPE_KEY, "not a scope")
    assert not session_in(context)


def test_baggage_is_sent_only_where_it_is_asked_for() -> None:
    """Only the id, the keys and the user travel, only with `baggage=True`, and only inside the scope."""
    fields: dict[str, Any] = {"user_id": "u", "ticket": 1, "session_name": "n", "tags": ["t"], "metadata": {"m": 1}}
    with propagate_sessions("a", **fields):
        assert sent() == {}
    with propagate_sessions("a", baggage=True, **fields):
        assert sent() == {"session.id": "a", "session.key.ticket": "1", "user.id": "u"}
    assert sent() == {}


def test_the_id_is_first_in_the_header() -> None:
    """Propagators drop from the end when a header is too long."""
    receive(theirs="x", zone="eu")
    with propagate_sessions("a b", ticket="1", baggage=True):
        assert header() == "session.id=a+b,session.key.ticket=1,theirs=x,zone=eu"
    assert header() == "theirs=x,zone=eu"


def test_an_inner_scope_with_baggage_replaces_the_entries() -> None:
    """Entries that the inner session does not have are gone inside, and back outside."""
    with propagate_sessions("a", user_id="u", ticket=1, baggage=True):
        with propagate_sessions("b", keys={"ticket": None}, baggage=True):
            assert sent() == {"session.id": "b", "user.id": "u"}
        assert sent() == {"session.id": "a", "user.id": "u", "session.key.ticket": "1"}


def test_an_inner_scope_without_baggage_removes_what_contradicts_it() -> None:
    """Another session's id does not travel on, and entries equal to the scope's do."""
    with propagate_sessions("a", user_id="u", baggage=True):
        with propagate_sessions("b"):
            assert sent() == {"user.id": "u"}
        with propagate_sessions(tags=["t"]):
            assert sent() == {"session.id": "a", "user.id": "u"}
        assert sent() == {"session.id": "a", "user.id": "u"}


@pytest.mark.parametrize("scope", [no_session(), propagate_sessions("\n"), propagate_sessions("b")])
def test_a_received_id_does_not_travel_on_from_another_session(scope: SessionScope) -> None:
    """Incoming entries of ours that the scope contradicts are removed, and others stay."""
    receive(session__id="a", theirs="x")
    with scope:
        assert sent() == {"theirs": "x"}
    assert sent() == {"session.id": "a", "theirs": "x"}


def test_baggage_is_restored_when_the_outer_scope_ends_first() -> None:
    """The baggage from before the outermost scope is back, though inner scopes were never left."""
    receive(session__id="received")
    outer, middle, inner = (propagate_sessions(name, baggage=True) for name in "abc")
    for scope in (outer, middle, inner):
        scope.__enter__()
    assert sent() == {"session.id": "c"}
    outer.__exit__(None, None, None)
    assert sent() == {"session.id": "received"}


def test_baggage_that_others_set_inside_stays() -> None:
    """Leaving a scope restores our entries only."""
    with propagate_sessions("a", baggage=True):
        receive(theirs="x")
    assert sent() == {"theirs": "x"}


def test_update_session_refreshes_the_baggage() -> None:
    """The changed session travels until the scope ends."""
    with propagate_sessions("a", baggage=True):
        update_session("b", ticket=1)
        assert sent() == {"session.id": "b", "session.key.ticket": "1"}
        update_session(keys={"ticket": None})
        assert sent() == {"session.id": "b"}
    assert sent() == {}
    with propagate_sessions("a"):
        update_session("b")
        assert sent() == {}


def test_updated_baggage_does_not_outlive_its_scope() -> None:
    """A scope that is empty on entry and gets its id later takes its entries back all the same."""
    with propagate_sessions(baggage=True):
        update_session("a")
        assert sent() == {"session.id": "a"}
    assert sent() == {}


def test_updated_baggage_does_not_reach_the_scope_around() -> None:
    """An inner scope that said the same on entry gives the outer scope its own entries back."""
    with propagate_sessions("a", baggage=True):
        with propagate_sessions(tags=["t"], baggage=True):
            update_session("b")
        assert sent() == {"session.id": "a"}


def test_an_update_removes_what_contradicts_it_from_the_baggage() -> None:
    """Another session's id does not travel on from a changed scope, with or without `baggage=True`."""
    with propagate_sessions("a", baggage=True), propagate_sessions(tags=["t"]):
        update_session("b")
        assert sent() == {}


def test_a_baggage_name_of_another_type_is_not_our_business() -> None:
    """Baggage with a name that is not a string does not keep an app from entering a scope."""
    attach(baggage.set_baggage(5, "x"))  # type: ignore[arg-type]
    with propagate_sessions("a"):
        assert current_session().id == "a"


def test_a_scope_object_can_be_entered_again_and_inside_itself(tracer: Tracer, spans: Spans) -> None:
    """A scope object that is entered several times is left one level at a time."""
    scope = propagate_sessions("a")
    for _ in range(2):
        with scope:
            with scope:
                assert current_session().id == "a"
            tracer.start_span("inside").end()
            assert current_session().id == "a"
        assert not current_session()
    assert [span.attributes and span.attributes["session.id"] for span in spans()] == ["a", "a"]


def test_baggage_follows_only_the_scope_in_force() -> None:
    """An update of a scope that is not in force here changes no baggage here."""
    with propagate_sessions("a", baggage=True):
        refresh_baggage(Scope(Session("b"), None, None, baggage=True))
        assert sent() == {"session.id": "a"}


def test_a_job_that_reschedules_itself_does_not_pile_up_scopes() -> None:
    """A job that starts its next run from its own context keeps no scopes of past runs."""

    def run() -> Context:
        with propagate_sessions("job", tags=["t"]):
            return copy_context()

    context = copy_context()
    for _ in range(100):
        context = context.run(run)
    scope = context.run(get_current)[SCOPE_KEY]
    assert isinstance(scope, Scope)
    assert scope.session.id == "job"
    assert len(list(scope.chain())) <= 40


def test_jobs_that_overlap_do_not_pile_up_scopes() -> None:
    """Runs that each start the next one before they end keep no scopes of past runs."""
    depths: list[int] = []

    async def job(left: int) -> None:
        with propagate_sessions("job"):
            scope = scope_in(get_current())
            assert scope
            depths.append(len(list(scope.chain())))
            following = asyncio.create_task(job(left - 1)) if left else None
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        if following:
            await following

    asyncio.run(job(100))
    assert max(depths) <= 40


def test_scopes_that_are_in_force_are_never_forgotten() -> None:
    """Each of very many nested scopes is restored."""

    def descend(depth: int) -> None:
        with propagate_sessions(str(depth)):
            if depth < 100:
                descend(depth + 1)
            assert current_session().id == str(depth)

    descend(0)
    assert not current_session()

"""Sessions handed over: to bare threads and callbacks with `bind_session`, to jobs as a whole `Session`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.trace import Tracer
from tests.recording import started

from otel_sessions import (
    Session,
    SessionValueError,
    bind_session,
    current_session,
    dropped_values,
    no_session,
    propagate_sessions,
)


def test_bind_session_is_a_snapshot(tracer: Tracer) -> None:
    """The function carries everything that was in force when it was bound, wherever it is called."""
    with propagate_sessions("a", user_id="u", keys={"run": 1}), propagate_sessions(keys={"run": None}):
        bound = bind_session(started)
    expected = {"session.id": "a", "user.id": "u", "session.cut": ("run",)}
    assert bound(tracer) == expected
    with propagate_sessions("b", other=1):
        assert bound(tracer) == expected
        assert current_session().id == "b"


def test_bind_session_keeps_the_kind_of_the_function() -> None:
    """Coroutine functions and generators work too; without a scope the function itself is returned."""

    async def coroutine_() -> str | None:
        await asyncio.sleep(0)
        return current_session().id

    def generator_() -> Iterator[str | None]:
        yield current_session().id

    assert bind_session(generator_) is generator_
    with propagate_sessions("a"):
        bound, bound_generator = bind_session(coroutine_), bind_session(generator_)
    assert asyncio.run(bound()) == "a"
    assert list(bound_generator()) == ["a"]


def test_bind_session_carries_the_baggage_of_its_scope() -> None:
    """Calls made in the thread send the same baggage as calls made here."""
    from opentelemetry import baggage

    with propagate_sessions("a", baggage=True):
        bound = bind_session(baggage.get_all)
    with propagate_sessions("a"):
        silent = bind_session(baggage.get_all)
    with ThreadPoolExecutor(1) as pool:
        assert dict(pool.submit(bound).result()) == {"session.id": "a"}
        assert dict(pool.submit(silent).result()) == {}


def test_bind_session_of_no_session() -> None:
    """The lack of a session is bound like a session."""
    with no_session():
        bound = bind_session(current_session)
    with propagate_sessions("a"):
        assert not bound()


def test_a_job_queue_hands_a_session_over(tracer: Tracer) -> None:
    """`to_dict` has the names of the parameters, so that a worker can pass it on."""
    with propagate_sessions("a", user_id="u", session_name="n", tags=["t"], metadata={"m": 1}, run=1) as session:
        data = session.to_dict()
    with propagate_sessions(**data) as again:
        assert again == session
    assert dropped_values() == {}


@pytest.mark.parametrize(
    "session",
    [
        Session("a", {"run": "1"}, name="n", user_id="u", tags=("t",), metadata={"m": 1}, previous_id="p"),
        Session("a", cut=("run",)),
        Session(cut=("*",)),
        Session(),
    ],
)
def test_a_whole_session_can_be_entered(session: Session) -> None:
    """A job's session, cuts included, can be entered with `with` and from a decorator's callable."""
    with propagate_sessions(Session.from_dict(session.to_dict())) as again:
        assert again == session

    @propagate_sessions(Session.from_dict)
    def job(data: dict[str, Any]) -> Session:
        return current_session()

    assert job(session.to_dict()) == session
    assert dropped_values() == {}


def test_other_fields_replace_those_of_a_whole_session() -> None:
    """Fields given beside a session replace its own one by one, and further keywords are added to its keys."""
    session = Session("a", {"run": "1"}, name="n", user_id="u", tags=("t",), metadata={"m": 1}, previous_id="p")
    with propagate_sessions(session, session_name="other", tags=["s"], attempt=2) as entered:
        assert entered == Session(
            "a",
            {"run": "1", "attempt": "2"},
            name="other",
            user_id="u",
            tags=("s",),
            metadata={"m": 1},
            previous_id="p",
        )


def test_a_whole_session_is_checked_like_its_fields(tracer: Tracer) -> None:
    """A session that was made by hand is checked by the rules."""
    with propagate_sessions(Session("bad\n", {"a b": "1", "ok": "1"}, tags=("t", "\x00"))):
        assert started(tracer) == {"session.key.ok": "1", "session.tags": ("t",), "session.cut": ("id",)}
    with pytest.raises(SessionValueError):
        propagate_sessions(Session("bad\n"), strict=True)


def test_a_value_beside_a_whole_session_without_one_is_not_cut() -> None:
    """A value that a worker adds to a job without a session is a session."""
    with propagate_sessions("a", run=1), propagate_sessions(Session(cut=("*",)), attempt=2) as session:
        assert session == Session(keys={"attempt": "2"}, cut=("id", "run"))


def test_the_lack_of_a_session_can_be_entered_inside_a_session() -> None:
    """A job that came without a session runs without one, also inside another session."""
    with propagate_sessions("a", user_id="u", run=1), propagate_sessions(Session(cut=("*",))) as session:
        assert session == Session(cut=("*",))

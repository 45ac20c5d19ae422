"""`update_session`: the innermost scope changes for all who share it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from opentelemetry.context import attach, detach, get_current
from opentelemetry.trace import Tracer
from tests.recording import Spans

from otel_sessions import (
    Session,
    SessionValueError,
    current_session,
    dropped_values,
    no_session,
    propagate_sessions,
    update_session,
)


def test_an_update_holds_until_the_scope_ends(tracer: Tracer, spans: Spans) -> None:
    """An update holds after the span inside which it was made, and does not change the outer scope."""
    with propagate_sessions("outer"):
        with propagate_sessions(tags=["t"]) as entered:
            with tracer.start_as_current_span("inside"):
                updated = update_session("a", user_id="u", session_name="n", tags=["s"], metadata={"m": 1}, run=1)
            tracer.start_span("later").end()
            assert current_session() is updated
            assert entered.id == "outer"
        tracer.start_span("after").end()
    assert spans.ids() == {"inside": "a", "later": "a", "after": "outer"}
    assert updated == Session("a", {"run": "1"}, name="n", user_id="u", tags=("t", "s"), metadata={"m": 1})


def test_an_update_cuts_and_refuses_by_the_same_rules() -> None:
    """`None` in keys cuts, an invalid id leaves none, an invalid name keeps the old one."""
    with propagate_sessions("a", session_name="n", run=1):
        assert update_session(keys={"run": None}).cut == ("run",)
        assert update_session("bad\n", session_name=7) == Session(name="n", cut=("run", "id"))
        assert update_session("b", run=2) == Session("b", {"run": "2"}, name="n")


def test_an_update_takes_a_whole_session() -> None:
    """An update takes a whole session and merges it with the one in force."""
    with propagate_sessions("a", user_id="u", run=1):
        updated = update_session(Session("b", {"job": "1"}, name="n"), session_name="m")
        assert updated == Session("b", {"job": "1", "run": "1"}, name="m", user_id="u")
        assert update_session(Session(cut=("*",))) == Session(cut=("*",))


def test_an_update_in_no_session_begins_one() -> None:
    """An update inside `no_session` is in force, and the outer keys stay cut."""
    with propagate_sessions("a", run=1), no_session():
        assert update_session("b") == Session("b", cut=("run",))


def test_tasks_and_threads_that_share_the_scope_see_an_update(tracer: Tracer, spans: Spans) -> None:
    """A child sees its parent's update, and the parent sees the child's."""

    async def child() -> None:
        await asyncio.sleep(0)
        update_session("from child")
        await asyncio.to_thread(lambda: tracer.start_span("thread of child").end())

    async def main() -> None:
        with propagate_sessions("a"):
            await asyncio.create_task(child())
            tracer.start_span("parent").end()
            seen = asyncio.create_task(asyncio.to_thread(current_session))
            update_session("from parent")
            assert (await seen).id == "from parent"

    asyncio.run(main())
    assert spans.ids() == {"thread of child": "from child", "parent": "from child"}


def test_an_update_from_a_thread_with_the_context(tracer: Tracer) -> None:
    """A thread that attaches the context shares the scope."""
    with propagate_sessions("a"):
        context = get_current()

        def work() -> None:
            token = attach(context)
            update_session("b")
            detach(token)

        with ThreadPoolExecutor(1) as pool:
            pool.submit(work).result()
        assert current_session().id == "b"


def test_an_update_does_not_reach_inner_scopes_that_were_entered_before() -> None:
    """A scope inside took its values when it was entered."""
    with propagate_sessions("a"):
        context = copy_context()
        with propagate_sessions(run=1):
            context.run(update_session, "b")
            assert current_session().id == "a"
        assert current_session().id == "b"


def test_outside_any_scope_an_update_does_nothing_and_says_so_once(
    tracer: Tracer, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """An update outside any scope is dropped, since it would leak into later work, and logged once."""
    with tracer.start_as_current_span("span"):
        assert update_session("a") == Session()
        update_session("a")
    assert spans.attributes("span") == {}
    assert dropped_values() == {("update_session", "no_scope"): 2}
    assert [record.name for record in caplog.records] == ["otel_sessions"]
    with pytest.raises(SessionValueError):
        update_session("a", strict=True)


@pytest.mark.parametrize("fields", [{"session_id": ""}, {"tags": "bare"}, {"previous_id": b""}])
def test_a_strict_update_raises_and_changes_nothing(fields: dict[str, Any]) -> None:
    """An update that raises in strict mode leaves the scope as it was."""
    with propagate_sessions("a") as session:
        with pytest.raises(SessionValueError):
            update_session(strict=True, **fields)
        assert current_session() is session


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("frequent_switches")
def test_updates_from_many_threads_all_count() -> None:
    """Threads that share a scope do not undo each other's updates."""
    for _ in range(60):
        with propagate_sessions("a"):
            start = threading.Barrier(8)

            def work(number: int, start: threading.Barrier = start) -> None:
                start.wait()
                for step in range(4):
                    update_session(metadata={f"{number}.{step}": 1})

            threads = [threading.Thread(target=copy_context().run, args=(work, number)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(current_session().metadata) == 32

"""`propagate_sessions` as `with` and `async with`, `no_session` and `current_session`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.trace import Tracer
from tests.recording import Spans, started

from otel_sessions import (
    Session,
    SessionScope,
    SessionValueError,
    current_session,
    dropped_values,
    no_session,
    propagate_sessions,
    update_session,
)


def test_every_field_is_on_the_span(tracer: Tracer) -> None:
    """Every field of the README's example is on the span and in the `Session` that the scope returns."""
    with propagate_sessions(
        "ticket-2611",
        user_id="user-a",
        session_name="Order #12345",
        tags=["support"],
        metadata={"tier": 3},
        previous_id="ticket-2610",
        import_id=7,
    ) as session:
        assert session is current_session()
        assert started(tracer) == {
            "session.id": "ticket-2611",
            "session.key.import_id": "7",
            "user.id": "user-a",
            "session.name": "Order #12345",
            "session.previous_id": "ticket-2610",
            "session.tags": ("support",),
            "session.metadata.tier": 3,
        }
    assert started(tracer) == {}


def test_nested_scopes_merge_and_are_restored(tracer: Tracer) -> None:
    """An inner scope has its own scalars and all tags and keys, and the outer session is back after it."""
    with propagate_sessions("a", user_id="u", tags=["t"], conversation_id="c"):
        outer = started(tracer)
        with propagate_sessions("b", tags=["s"], run=1):
            assert started(tracer) == {
                "session.id": "b",
                "session.key.run": "1",
                "session.key.conversation_id": "c",
                "user.id": "u",
                "session.tags": ("t", "s"),
            }
        assert started(tracer) == outer


def test_keys_hold_names_that_are_parameters(tracer: Tracer) -> None:
    """`keys=` takes any mapping with any names, beside further keywords."""
    with propagate_sessions(keys={"user_id": "k", "tags": 1}, other=2):
        assert started(tracer) == {"session.key.user_id": "k", "session.key.tags": "1", "session.key.other": "2"}


def test_none_cuts_an_inherited_key(tracer: Tracer) -> None:
    """Spans inside lack the key and are marked, until an inner scope gives the key."""
    with propagate_sessions("a", import_id=7), propagate_sessions(keys={"import_id": None}):
        assert started(tracer) == {"session.id": "a", "session.cut": ("import_id",)}
        with propagate_sessions(import_id=8):
            assert started(tracer) == {"session.id": "a", "session.key.import_id": "8"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"session_id": "bad\n"}, {"session.key.run": "1", "user.id": "u", "session.cut": ("id",)}),
        ({"run": []}, {"session.id": "a", "user.id": "u", "session.cut": ("run",)}),
        ({"keys": {"run": float("nan")}}, {"session.id": "a", "user.id": "u", "session.cut": ("run",)}),
        ({"user_id": b"u"}, {"session.id": "a", "session.key.run": "1"}),
    ],
)
def test_an_invalid_value_does_not_fall_back_to_the_outer_one(
    tracer: Tracer, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Spans with an invalid session or user get none, not the outer one."""
    with propagate_sessions("a", run=1, user_id="u"), propagate_sessions(**fields):
        assert started(tracer) == expected
    assert sum(dropped_values().values()) == 1


def test_no_session_is_empty_and_says_so(tracer: Tracer) -> None:
    """Spans inside carry only the mark that keeps them out of their ancestors' sessions."""
    with propagate_sessions("a", user_id="u", tags=["t"]):
        with no_session() as session:
            assert not session
            assert not current_session()
            assert started(tracer) == {"session.cut": ("*",)}
            with propagate_sessions(tags=["t"]):
                assert started(tracer) == {"session.tags": ("t",), "session.cut": ("*",)}
        assert current_session().id == "a"


def test_a_session_inside_no_session_is_its_own(tracer: Tracer) -> None:
    """A session inside `no_session` inherits nothing, and the outer keys stay cut by name."""
    with propagate_sessions("a", run=1, user_id="u"), no_session():
        with propagate_sessions("b"):
            assert started(tracer) == {"session.id": "b", "session.cut": ("run",)}
            with propagate_sessions(run=2):
                assert started(tracer) == {"session.id": "b", "session.key.run": "2"}
        with propagate_sessions(job=1):
            assert started(tracer) == {"session.key.job": "1", "session.cut": ("id", "run")}


def test_an_empty_scope_is_a_session_of_nothing(tracer: Tracer) -> None:
    """A scope without values can be entered, is falsy, and writes nothing."""
    with propagate_sessions() as session:
        assert (session, bool(session)) == (Session(), False)
        assert started(tracer) == {}


def test_current_session_outside_is_empty() -> None:
    """The current session is an empty one outside any scope, never `None`."""
    assert current_session() == Session()
    assert not current_session()


def test_async_with(tracer: Tracer, spans: Spans) -> None:
    """Concurrent tasks keep their own session across awaits, and an exception leaves the scope."""

    async def work(name: str) -> None:
        async with propagate_sessions(name) as session:
            await asyncio.sleep(0)
            tracer.start_span(name).end()
            assert current_session() is session
        assert not current_session()
        with pytest.raises(KeyError):
            async with propagate_sessions(name):
                raise KeyError
        assert not current_session()

    async def main() -> None:
        await asyncio.gather(*(work(name) for name in "abcd"))

    asyncio.run(main())
    assert spans.ids() == {name: name for name in "abcd"}


def test_a_cancelled_task_leaves_its_scope(tracer: Tracer) -> None:
    """A cancelled task leaves its scope like any other."""
    seen: list[object] = []

    async def work(entered: asyncio.Event) -> None:
        try:
            async with propagate_sessions("a"):
                entered.set()
                await asyncio.Event().wait()
        finally:
            seen.append(current_session())

    async def main() -> None:
        entered = asyncio.Event()
        task = asyncio.create_task(work(entered))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert seen == [Session()]


@pytest.mark.parametrize(
    "fields",
    [{"session_id": ""}, {"tags": "bare"}, {"keys": {"a b": 1}}, {"metadata": {"m": float("nan")}}],
)
def test_strict_mode_raises_before_the_scope_is_made(fields: dict[str, Any]) -> None:
    """The error is raised where the value was written, not where the scope is entered."""
    with pytest.raises(SessionValueError):
        propagate_sessions(strict=True, **fields)


def test_strict_mode_raises_for_surplus_on_entry() -> None:
    """Entering raises for surplus that shows only after merging, and the scope is not in force."""
    keys = dict.fromkeys("abcde", 1)
    inside = propagate_sessions("x", strict=True)
    with propagate_sessions(keys=keys):
        with pytest.raises(SessionValueError), inside:
            raise AssertionError
        assert current_session().id is None


class AmbiguousTruth(list[str]):
    """Tags as numpy and pandas hold them: asking whether there are any raises."""

    def __bool__(self) -> bool:
        """Refuse."""
        raise ValueError("the truth value of an array is ambiguous")


def test_tags_whose_truth_is_ambiguous(tracer: Tracer) -> None:
    """Tags may be any iterable of strings, also an array without a truth value."""
    with propagate_sessions(tags=AmbiguousTruth(["a"])):
        assert started(tracer) == {"session.tags": ("a",)}


@pytest.mark.parametrize(
    "value", [0, 0.0, False, b"", [], {}, float("nan"), object(), "\ud800", pytest.param(10**5000, id="huge int")]
)
def test_no_value_raises_into_the_app(tracer: Tracer, value: Any) -> None:
    """The scope is entered and left whatever type is passed for a field."""
    scope = propagate_sessions(
        value, session_name=value, user_id=value, tags=value, metadata=value, previous_id=value, keys=value, k=value
    )
    with scope:
        started(tracer)

    @propagate_sessions(value, tags=value, metadata={"m": value}, keys={"k": value})
    def handle() -> None:
        started(tracer)

    handle()


class Unreadable(str):
    """A text that refuses to be looked at."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        """Refuse."""
        raise OSError("personal data")


class Odd(dict[str, object]):
    """A mapping that refuses to be looked at."""

    def values(self) -> Any:
        """Refuse."""
        raise OSError("personal data")

    def items(self) -> Any:
        """Refuse."""
        raise OSError("personal data")


def test_values_that_cannot_be_read_leave_no_session(tracer: Tracer, caplog: pytest.LogCaptureFixture) -> None:
    """Unreadable values raise nothing, inherit nothing, and their message is not logged."""
    with propagate_sessions("a", user_id="u"):
        with propagate_sessions("b", keys={Unreadable("k"): 1}):
            assert started(tracer) == {"session.cut": ("*",)}
        assert update_session(keys={Unreadable("k"): 1}) == Session(cut=("*",))
    assert dropped_values() == {("session", "raised"): 2}
    assert "personal data" not in caplog.text


def test_values_that_cannot_be_read_raise_in_strict_mode() -> None:
    """Unreadable values raise in strict mode like any value that is dropped otherwise."""
    with pytest.raises(SessionValueError):
        propagate_sessions(keys={Unreadable("k"): 1}, strict=True)


@pytest.mark.parametrize(
    "field",
    [
        "session_id",
        "user_id",
        "tags",
        "metadata",
        "keys",
        "k",
    ],
)
def test_an_object_that_hides_what_it_is(field: str) -> None:
    """A value for which `isinstance` raises is dropped."""

    class Hidden:
        @property  # type: ignore[misc]
        def __class__(self) -> Any:
            raise OSError

    fields: dict[str, Any] = {field: Hidden()}
    with propagate_sessions("a", user_id="u"), propagate_sessions(**fields) as session:
        assert session == Session(cut=("*",))
    assert dropped_values() == {("session", "raised"): 1}


def test_odd_mappings_are_read_as_far_as_they_can_be(tracer: Tracer) -> None:
    """Entries of a mapping whose `values` raises are read; from a decorator's callable it is refused."""
    with propagate_sessions("a", metadata=Odd(m=1)):
        assert started(tracer) == {"session.id": "a", "session.metadata.m": 1}

    @propagate_sessions(lambda: "a", metadata=Odd(m=1))
    def handle() -> Session:
        return current_session()

    assert handle() == Session("a")
    assert dropped_values() == {("metadata", "raised"): 1}


def test_a_mapping_with_names_of_other_types(tracer: Tracer) -> None:
    """Names that are not strings are dropped one by one."""
    keys: Mapping[Any, object] = {7: "a", None: "b", ("c",): "d", "ok": 1}
    with propagate_sessions(keys=keys, metadata={7: 1, "ok": 2}):
        assert started(tracer) == {"session.key.ok": "1", "session.metadata.ok": 2}
    assert dropped_values() == {("session_keys", "key_type"): 3, ("metadata", "key_type"): 1}


def test_a_scope_without_its_own_meaning_cannot_be_made() -> None:
    """Calling `SessionScope`, which is there for annotations, raises an error."""
    abstract: Any = SessionScope
    with pytest.raises(TypeError, match="abstract"):
        abstract()

"""Dropped values: counting, warning once, strict mode."""

from __future__ import annotations

import logging
import os
import pickle
import threading

import pytest
from tests.processes import forked

from otel_sessions import SessionValueError, dropped_values, environment_variables, propagate_sessions
from otel_sessions.drops import DropCounter, drop, drops, is_strict


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages on our logger."""
    return [record.getMessage() for record in caplog.records if record.name == "otel_sessions"]


def test_a_drop_is_counted_each_time_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Every drop counts; only the first of its field and reason is logged, as a warning."""
    for length in (201, 300, 201):
        propagate_sessions("x" * length)
    propagate_sessions("")
    assert dropped_values() == {("session_id", "too_long"): 2 + 1, ("session_id", "empty"): 1}
    assert len(warnings(caplog)) == 2
    assert "201 characters" in warnings(caplog)[0]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_the_warning_does_not_tell_the_value(caplog: pytest.LogCaptureFixture) -> None:
    """A refused value, which may be personal, is in no warning and in no error."""
    secret = "anna.müller@example.org"
    refused: list[dict[str, object]] = [
        {"session_id": secret},
        {"user_id": secret},
        {"previous_id": secret},
        {"session_name": secret + "\x00"},
        {"tags": [secret * 20]},
        {"tags": secret},
        {"metadata": {secret: 1}},
        {"metadata": {"name": secret + "\ud800"}},
        {"keys": {secret: 1}},
        {"ticket": secret},
    ]
    for fields in refused:
        propagate_sessions(**fields)  # type: ignore[arg-type]
        with pytest.raises(SessionValueError) as error:
            propagate_sessions(strict=True, **fields)  # type: ignore[arg-type]
        assert "anna" not in str(error.value)
        assert "example.org" not in str(error.value)
    assert len(warnings(caplog)) >= 8
    assert not [line for line in warnings(caplog) if "anna" in line or "example.org" in line]


def test_a_reset_counter_warns_again(caplog: pytest.LogCaptureFixture) -> None:
    """After a reset nothing is counted, and the next drop is the first one."""
    counter = DropCounter()
    counter.count("tags", "type", "first", amount=3)
    assert counter.counts() == {("tags", "type"): 3}
    counter.reset()
    assert counter.counts() == {}
    counter.count("tags", "type", "second")
    assert [line.split(" (")[0] for line in warnings(caplog)] == ["first", "second"]


def test_counts_are_a_copy() -> None:
    """The dict that `dropped_values` returns does not change, and changing it changes no count."""
    propagate_sessions("")
    counts = dropped_values()
    counts[("session_id", "empty")] = 99
    propagate_sessions("")
    assert dropped_values() == {("session_id", "empty"): 2}


def test_counts_from_many_threads_add_up() -> None:
    """No drop is lost when threads drop at once."""
    counter = DropCounter(logging.getLogger("otel_sessions"))
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        for _ in range(200):
            counter.count("tags", "type", "dropped")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.counts() == {("tags", "type"): 1_600}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_lock_of_its_parent() -> None:
    """A thread that is about to count while the process forks does not exist in the child; its lock must not either."""
    counter = DropCounter()
    held, done = threading.Event(), threading.Event()

    class Slow(str):
        """A name that is looked up, under the lock of the counter, only when the test goes on."""

        __slots__ = ()

        def __hash__(self) -> int:
            held.set()
            done.wait()
            return super().__hash__()

    def child() -> bool:
        counter.count("tags", "type", "dropped")
        return counter.counts() == {("tags", "type"): 1}

    holder = threading.Thread(target=counter.count, args=(Slow("tags"), "type", "dropped"), daemon=True)
    holder.start()
    assert held.wait(60)
    status = forked(child)
    done.set()
    holder.join()
    assert status == 0
    assert counter.counts() == {("tags", "type"): 1}


@pytest.mark.parametrize("value", ["1", "true", " TRUE ", "yes", "on"])
def test_the_environment_turns_strict_mode_on(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """With the variable set a refused value raises, with its field and reason, and is not counted."""
    monkeypatch.setenv(environment_variables.STRICT, value)
    with pytest.raises(SessionValueError) as error:
        propagate_sessions("x" * 201)
    assert (error.value.field, error.value.reason) == ("session_id", "too_long")
    assert dropped_values() == {}


@pytest.mark.parametrize("value", ["", "0", "false", "off", "no"])
def test_other_values_of_the_variable_leave_it_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Only the words that mean yes turn strict mode on."""
    monkeypatch.setenv(environment_variables.STRICT, value)
    assert not is_strict()


def test_the_argument_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`strict=False` drops although the environment is strict, `strict=True` raises although it is not."""
    with pytest.raises(SessionValueError):
        propagate_sessions("", strict=True)
    monkeypatch.setenv(environment_variables.STRICT, "true")
    propagate_sessions("", strict=False)
    assert dropped_values() == {("session_id", "empty"): 1}


def test_the_error_is_a_value_error_that_survives_pickling() -> None:
    """The error crosses a process pool with all its parts."""
    error = SessionValueError("tags", "type", "tags is of type int")
    copy: SessionValueError = pickle.loads(pickle.dumps(error))
    assert issubclass(SessionValueError, ValueError)
    assert (type(copy), copy.field, copy.reason, str(copy)) == (SessionValueError, "tags", "type", str(error))


def test_drop_raises_the_error_itself_in_strict_mode() -> None:
    """The error that a rule made is the one that is raised."""
    error = SessionValueError("tags", "type", "tags is of type int")
    with pytest.raises(SessionValueError) as raised:
        drop(error, strict=True)
    assert raised.value is error
    drop(error)
    assert drops.counts() == {("tags", "type"): 1}

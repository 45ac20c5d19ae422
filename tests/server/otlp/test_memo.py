"""A memo remembers what a function of bytes returns, within bounds."""

from __future__ import annotations

import pytest

from otel_sessions.server.otlp.memo import Memo


class Reading:
    """A function that records its calls, and fails for a key that is not UTF-8."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []

    def __call__(self, raw: bytes) -> str:
        """Read a key."""
        self.calls.append(raw)
        return raw.decode()


def test_a_key_is_read_once() -> None:
    """A memo calls its function for a new key only."""
    read = Reading()
    memo = Memo(read, longest=10)
    assert [memo[raw] for raw in (b"a", b"b", b"a", b"b")] == ["a", "b", "a", "b"]
    assert read.calls == [b"a", b"b"]


def test_long_keys_are_not_remembered() -> None:
    """A key over the longest length is read each time it comes."""
    read = Reading()
    memo = Memo(read, longest=3)
    assert [memo[raw] for raw in (b"abc", b"abcd", b"abc", b"abcd")] == ["abc", "abcd", "abc", "abcd"]
    assert read.calls == [b"abc", b"abcd", b"abcd"]


def test_the_number_of_keys_is_bounded() -> None:
    """A memo never holds more keys than its size, and reads those that it dropped again."""
    read = Reading()
    memo = Memo(read, longest=3, size=4)
    for number in (*range(50), *range(50)):
        assert memo[b"%d" % number] == str(number)
        assert len(memo) <= 4
    assert len(read.calls) == 100


def test_errors_are_not_remembered() -> None:
    """An error of the function is passed on, each time the key comes."""
    read = Reading()
    memo = Memo(read, longest=3)
    for _ in range(2):
        with pytest.raises(UnicodeDecodeError):
            memo[b"\xff"]
    assert read.calls == [b"\xff"] * 2


def test_nothing_is_remembered_too() -> None:
    """`None` is a result like any other."""
    calls: list[bytes] = []
    memo = Memo(calls.append, longest=3)
    assert [memo[b"a"], memo[b"a"]] == [None, None]
    assert calls == [b"a"]

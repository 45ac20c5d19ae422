"""A text is bounded, and says how long it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.long_texts import cut


def test_the_length_is_shown() -> None:
    """A text that is too long keeps its beginning and says how long it was; others stay as they are."""
    assert cut("n" * 10_485_760, 1_000) == "n" * 977 + "… (10485760 characters)"
    assert cut("é" * 1_000, 1_000) == "é" * 1_000
    assert cut("", 0) == ""


@given(st.text(max_size=200), st.integers(30, 100))
def test_a_bound_holds(text: str, length: int) -> None:
    """No text is longer than asked for, and to cut it again changes nothing."""
    once = cut(text, length)
    assert len(once) <= length
    assert cut(once, length) == once
    assert (once == text) == (len(text) <= length)

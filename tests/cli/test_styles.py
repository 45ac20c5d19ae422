"""Texts of unknown origin become lines that fit, and colours are where they are wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.cli.terminal import acts_on_a_terminal

from otel_sessions.cli.styles import has_colours, lines_of, shortened, styled

TEXTS = st.text(st.characters() | st.sampled_from("\n\t \x1b\x9b日語é\u202e"), max_size=120)


@given(TEXTS, st.integers(10, 60))
def test_lines_fit(text: str, width: int) -> None:
    """No line is wider than the room, and no character but blanks is lost."""
    lines = list(lines_of(text, width))
    assert max(map(cell_len, lines)) <= width
    assert not any(acts_on_a_terminal(line) for line in lines)
    if text.isalnum():
        assert "".join(lines) == text


@given(TEXTS, st.integers(0, 60))
def test_shortened_texts_fit(text: str, width: int) -> None:
    """A shortened text is no wider than the room, and a text that fits is not changed."""
    one_line = "".join(one for one in text if one.isprintable())
    found = shortened(one_line, width)
    assert cell_len(found) <= width
    assert found == one_line or cell_len(one_line) > width


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a b", ["a b"]),
        ("one two three four", ["one two", "three four"]),
        ("  indented line here", ["  indented", "line here"]),
        ("x" * 25, ["x" * 10, "x" * 10, "x" * 5]),
        ("a\r\nb\n", ["a", "b", ""]),
        ("a\tb", ["a   b"]),
    ],
)
def test_lines(text: str, lines: list[str]) -> None:
    """Lines are broken between words, and a long word in itself."""
    assert list(lines_of(text, 10)) == lines


def test_colours_of_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no terminal gets colours only where they are forced, and NO_COLOR is stronger."""
    assert styled("a", "red") == "a"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert styled("a", "red", "bold") == "\x1b[31;1ma\x1b[0m"
    assert styled("", "red") == ""
    assert styled("a") == "a"
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colours()

"""Lists and dicts in Python's notation are read as JSON is, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.content.json_values import parsed
from otel_sessions.dialects.python_values import python_value

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, min_size=1))
def test_what_python_writes(value: dict[str, Any]) -> None:
    """Whatever JSON can hold comes back, by itself and in a list."""
    for one in (value, [value]):
        text = repr(one)
        assert python_value(text) == (one if text.lstrip("[").startswith("{'") else None)


@given(st.text())
def test_any_text(text: str) -> None:
    """No text is an error."""
    for one in (text, f"{{'{text}", f"[{{'a': {text}}}]"):
        python_value(one)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "it's {'a'}",
        "['a']",
        "{'a'",
        "{'a': 'b}",
        "{'a': object()}",
        "{'a': b'bytes'}",
        "{'a', 'b'}",
        "{'a': " + "[" * 100_000,
        "{'" + "\\'" * 100_000,
    ],
)
def test_what_is_none(text: str) -> None:
    """A text that holds something else stays a text."""
    assert python_value(text) is None
    assert parsed(text) == text


def test_escapes() -> None:
    """Escapes are those that Python writes; others stay as they are."""
    text = "{'a': '\\n\\t\\r\\\\\\'\\x7f\\u2028\\U000e0001\\U0010ffff\\q', 'b': \"it's\"}"
    assert python_value(text) == {"a": "\n\t\r\\'\x7f\u2028\U000e0001\U0010ffff\\q", "b": "it's"}


def test_json_comes_first() -> None:
    """What is JSON is read as JSON."""
    assert parsed('{"a": null}') == {"a": None}
    assert parsed("{'a': None}") == {"a": None}

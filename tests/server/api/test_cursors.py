"""Cursors are opaque: only what the API wrote into one is read back."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.counting.measures import MEASURES
from otel_sessions.server.api.cursors import (
    list_mark,
    log_cursor,
    offset_cursor,
    price_cursor,
    read_log_cursor,
    read_offset_cursor,
    read_price_cursor,
    read_session_cursor,
    session_cursor,
)
from otel_sessions.server.api.errors import ApiError
from otel_sessions.server.queries.logs import LogCursor
from otel_sessions.server.queries.pagination import Cursor

MARK = list_mark("sessions", "x")


def packed(place: Any) -> str:
    """Any JSON, encoded as in a cursor."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


@given(st.text(st.characters(codec="utf-8")), st.none() | st.text(st.characters(codec="utf-8")))
def test_a_cursor_is_read_back(session: str, name: str | None) -> None:
    """A cursor holds any id and name, in characters that a URL need not encode."""
    text = session_cursor(Cursor(name, session), MARK)
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()
    assert read_session_cursor(text, MARK, sort="name") == Cursor(name, session)


def test_no_cursor() -> None:
    """An empty text is no cursor."""
    assert read_session_cursor(None, MARK, sort="name") is None
    assert read_session_cursor("", MARK, sort="name") is None
    assert read_offset_cursor(None, MARK, most=9) == 0


def test_offsets() -> None:
    """An offset up to the greatest one is read back."""
    assert read_offset_cursor(offset_cursor(9, MARK), MARK, most=9) == 9


@pytest.mark.parametrize(
    "text",
    ["x", "====", "\ud800", "é", "a b", packed({}), packed([]), packed([1]), packed("x"), "W" * 100_000, packed([MARK])]
    + [packed([MARK, *place]) for place in ([1], [None, 1], [1, "a"], ["1", "\ud800"], ["1", "a", "b"], [None, None])],
)
def test_text_that_is_not_a_cursor(text: str) -> None:
    """Text that the API did not write as a cursor is refused."""
    with pytest.raises(ApiError, match="not a valid cursor") as refused:
        read_session_cursor(text, MARK, sort="traces")
    assert (refused.value.status, refused.value.code) == (400, "invalid_cursor")


@pytest.mark.parametrize("place", [[], [-1], [10], [True], [1.0], ["1"], [1, 2], [None]])
def test_cursors_without_a_valid_offset(place: list[Any]) -> None:
    """A cursor whose offset is missing, negative, too great or not a whole number is refused."""
    with pytest.raises(ApiError, match="not a valid cursor"):
        read_offset_cursor(packed([MARK, *place]), MARK, most=9)


@pytest.mark.parametrize("sort", [name for name in MEASURES if name != "name"])
@pytest.mark.parametrize(
    "measure",
    [
        "",
        "x",
        "1; DROP TABLE x",
        "-",
        "1e",
        "NaN",
        "inf",
        "1_0",
        "٣",
        str(10**40),
        "9" * 400,
        "1e999",
        " 1",
        "1\n",
        "0x1",
    ],
)
def test_forged_measures_do_not_reach_the_store(sort: str, measure: str) -> None:
    """A measure that is not of its type is refused; a duration may be any finite number."""
    text = session_cursor(Cursor(measure, "a"), MARK)
    if sort in ("duration", "failure_rate") and measure == str(10**40):
        assert read_session_cursor(text, MARK, sort=sort) == Cursor(measure, "a")
    else:
        with pytest.raises(ApiError, match="not a valid cursor"):
            read_session_cursor(text, MARK, sort=sort)


@pytest.mark.parametrize(
    ("sort", "measure"),
    [
        ("tokens", str(2**64 - 1)),
        ("cost", "0." + "0" * 37 + "1"),
        ("cost", "-" + "9" * 38),
        ("duration", "1.5e-7"),
        ("duration", "1e22"),
        ("failure_rate", "0.3333333333333333"),
    ],
)
def test_measures_as_the_store_writes_them(sort: str, measure: str) -> None:
    """A measure is accepted as the store writes it."""
    assert read_session_cursor(session_cursor(Cursor(measure, "a"), MARK), MARK, sort=sort) == Cursor(measure, "a")


def test_marks() -> None:
    """The same list has the same mark, whatever the order of its conditions, and another list has another one."""
    assert list_mark("a", {"x": Decimal("0.5"), "y": None}) == list_mark("a", {"y": None, "x": Decimal("0.5")})
    assert len({list_mark("a"), list_mark("b"), list_mark("a", 1), list_mark("a", "1"), list_mark("a", None)}) == 5


def test_places_in_what_is_priced_again() -> None:
    """The place is read back, at its greatest too; no text is the start."""
    place = (2**128 - 1, 0, 7)
    assert read_price_cursor(price_cursor(place, MARK), MARK) == place
    assert read_price_cursor(None, MARK) is read_price_cursor("", MARK) is None


@pytest.mark.parametrize("place", [[], [1, 2], [1, 2, 3, 4], [-1, 0, 0], [0, 0, 2**128], [0, 0, "1"], [0, True, 0]])
def test_forged_places_in_what_is_priced_again(place: list[Any]) -> None:
    """A place of another length, type or range is refused."""
    with pytest.raises(ApiError, match="not a valid cursor"):
        read_price_cursor(packed([MARK, *place]), MARK)


def test_places_in_lists_of_log_records() -> None:
    """The place is read back, before 1970 too; no text is the start."""
    place = LogCursor(-1, 2**64 - 1, 2**32 - 1, 0)
    assert read_log_cursor(log_cursor(place, MARK), MARK) == place
    assert read_log_cursor(None, MARK) is read_log_cursor("", MARK) is None


@pytest.mark.parametrize("place", [[], [0, 0, 0], [2**63, 0, 0, 0], [0, -1, 0, 0], [0, 0, 2**32, 0], [0, 0, 0, "0"]])
def test_forged_places_in_lists_of_log_records(place: list[Any]) -> None:
    """A place of another length, type or range is refused."""
    with pytest.raises(ApiError, match="not a valid cursor"):
        read_log_cursor(packed([MARK, *place]), MARK)

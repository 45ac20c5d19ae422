"""`sort_sessions`: lists of sessions by a measure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.counting.building import AT

from otel_sessions.counting.fold import fold
from otel_sessions.counting.measures import MEASURES, sort_sessions
from otel_sessions.counting.session import SessionRollup

PLAIN = fold("id", "x", [])


def session(id_: str, **more: Any) -> SessionRollup:
    """A session of nothing but what is given."""
    return replace(PLAIN, id=id_, **more)


def order(*sessions: SessionRollup, sort: str, descending: bool = True) -> str:
    """The ids in order."""
    return "".join(one.id for one in sort_sessions(sessions, sort, descending=descending))


def test_the_measures_of_the_contract() -> None:
    """One definition each, with a unit and a description."""
    names = {"last_active", "created", "cost", "tokens", "duration", "traces", "failure_rate", "name"}
    assert set(MEASURES) == names
    assert all(measure.unit and measure.about for measure in MEASURES.values())


@pytest.mark.parametrize(
    ("sort", "field", "low", "high"),
    [
        ("last_active", "end", AT, AT + 1),
        ("created", "start", AT, AT + 1),
        ("cost", "total_cost", Decimal("0.2"), Decimal("0.10001") * 2),
        ("tokens", "total_tokens", 0, 7),
        ("duration", "duration_ms", 0.0, 0.5),
        ("traces", "trace_count", 1, 2),
        ("failure_rate", "failure_rate", 0.0, 0.5),
        ("name", "name", "Order 1", "Order 2"),
    ],
)
def test_each_measure_sorts_by_its_field(sort: str, field: str, low: object, high: object) -> None:
    """Down by default, up on demand."""
    small, large = session("s", **{field: low}), session("l", **{field: high})
    assert order(small, large, sort=sort) == "ls"
    assert order(small, large, sort=sort, descending=False) == "sl"


@pytest.mark.parametrize(("descending", "expected"), [(True, "bacd"), (False, "abcd")])
def test_unknown_is_last_either_way(descending: bool, expected: str) -> None:
    """An unknown cost is neither the highest nor the lowest; those without one come in the order of their ids."""
    sessions = [session("d"), session("b", total_cost=Decimal(2)), session("c"), session("a", total_cost=Decimal(0))]
    assert order(*sessions, sort="cost", descending=descending) == expected


@pytest.mark.parametrize("descending", [True, False])
def test_ties_by_key_and_id(descending: bool) -> None:
    """Sessions that measure the same come in the order of key and id, whatever their order was."""
    sessions = [session("b"), session("c", key="a"), session("a")]
    assert order(*sessions, sort="tokens", descending=descending) == "cab"
    assert order(*reversed(sessions), sort="traces", descending=descending) == "cab"


def test_an_unknown_measure_is_told_what_there_is() -> None:
    """The error lists every measure."""
    with pytest.raises(ValueError, match=r"sort='color' .*last_active, created, cost, tokens, .*name"):
        sort_sessions([], "color")

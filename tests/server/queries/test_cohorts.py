"""Cohorts compare sessions that are grouped by a value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.server.building import AT, SECOND, Traces, call, filters, groups_of, span, store_groups

from otel_sessions.counting.facts import Labels
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.cohorts import Cohort, cohorts

TRACES: Traces = {
    1: [span(session="a", labels=Labels(None, "u1", ("x",), (("plan", "pro"),), None, "prod"), **call("0.10", 10))],
    2: [
        span(
            session="a", start=AT + SECOND, failed=True, labels=Labels(None, "u2", ("y",), (("plan", 2),), None, "prod")
        )
    ],
    3: [span(session="b", labels=Labels(None, "u1", ("x",), (), None, "prod"), **call("0.30", 30, "o3"))],
    4: [span(session="c", labels=Labels(None, None, (), (("plan", 2),)))],
    5: [span(values=(("ticket", "t"),), labels=Labels(environment="prod"))],
}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("environment", {"prod": ["a", "b"], None: ["c"]}),
        ("model", {"gpt-4o": ["a"], "o3": ["b"], None: ["c"]}),
        ("user", {"u1": ["a", "b"], "u2": ["a"], None: ["c"]}),
        ("service", {None: ["a", "b", "c"]}),
        ("tag", {"x": ["a", "b"], "y": ["a"], None: ["c"]}),
        ("metadata.plan", {2: ["a", "c"], None: ["b"]}),
        ("metadata.none", {None: ["a", "b", "c"]}),
    ],
)
def test_cohorts_by(store: Store, by: str, expected: dict[Any, list[str]]) -> None:
    """A session is in the cohort of each of its values, or in the cohort without a value; the largest cohort comes first."""
    store_groups(store, groups_of(TRACES), version=1)
    found = cohorts(store, by)
    assert {one.value: one.sessions for one in found} == {value: len(ids) for value, ids in expected.items()}
    assert [one.sessions for one in found] == sorted((one.sessions for one in found), reverse=True)
    for one in found:
        failed = int("a" in expected[one.value])
        assert (one.failed_sessions, one.failure_rate) == (failed, failed / one.sessions)


def test_numbers_of_a_cohort(store: Store) -> None:
    """Quantiles of a cohort are exact, are taken over whole sessions, and leave out unknown values."""
    store_groups(store, groups_of(TRACES), version=1)
    (found,) = cohorts(store, "environment", filters(environment="prod"))
    assert found == Cohort(
        "prod",
        2,
        1,
        0.5,
        {"cost": (Decimal("0.3"), Decimal("0.3")), "tokens": (30, 30), "duration": (2000.0, 2000.0)},
    )
    assert cohorts(store, "user", filters(user_id="unknown")) == []
    (unknown,) = cohorts(store, "environment", filters(metadata={"plan": 2}, failed=False))
    assert unknown == Cohort(
        None, 1, 0, 0.0, {"cost": (None, None), "tokens": (None, None), "duration": (1000.0, 1000.0)}
    )


@pytest.mark.parametrize("by", ["", "id", "metadata.", "Models) --"])
def test_what_makes_no_cohorts(store: Store, by: str) -> None:
    """An invalid `by` raises an error that lists the valid ones."""
    with pytest.raises(ValueError, match=r"user, environment, service, tag, model, metadata\.<name>"):
        cohorts(store, by)


def test_so_many_cohorts_at_most(store: Store) -> None:
    """A limit bounds the number of cohorts that are returned."""
    store_groups(
        store, groups_of({i: [span(session=f"s{i}", labels=Labels(user_id=f"u{i}"))] for i in range(1, 9)}), version=1
    )
    assert len(cohorts(store, "user", limit=3)) == 3

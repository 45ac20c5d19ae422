"""Filters select the sessions that meet all conditions, and never change their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.server.building import (
    AT,
    HOSTILE_TEXTS,
    SECOND,
    Traces,
    call,
    filters,
    groups_of,
    sessions_of,
    span,
    store_groups,
)

from otel_sessions.counting.facets import FACETS
from otel_sessions.counting.facts import Labels
from otel_sessions.counting.session import SessionRollup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.sessions import list_sessions

TRACES: Traces = {
    1: [
        span(
            session="Alpha-1",
            labels=Labels("Order Ä #1", "u1", ("vip", "eu"), (("plan", "pro"), ("n", 7)), "shop", "prod"),
            **call("0.5", 5, "gpt-4o"),
        )
    ],
    2: [
        span(
            session="Alpha-1",
            start=AT + 100 * SECOND,
            failed=True,
            labels=Labels("Order #2", "u2", (), (("plan", "free"),), "mail", "stage"),
            **call("0.25", 5, "o3"),
        )
    ],
    3: [span(session="beta", start=AT + 50 * SECOND, labels=Labels(None, "u1", (), (("n", "7"), ("on", True))))],
    4: [span(session="a/b?c#d%20", start=AT + 500 * SECOND, labels=Labels(metadata=(("n", 7.0), ("on", "true"))))],
    5: [span(values=(("ticket", "t1"),), labels=Labels(user_id="u1"))],
}


@pytest.fixture(scope="module")
def filled(folder: Any) -> Iterator[Store]:
    """A store with the sessions of `TRACES`, which tests do not change."""
    store = Store(StoreSettings(f"chdb://{folder}", database="filters"))
    store_groups(store, groups_of(TRACES), version=1)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        ({}, ["Alpha-1", "a/b?c#d%20", "beta"]),
        ({"key": "ticket"}, ["t1"]),
        ({"key": "none"}, []),
        ({"q": "aLPHA"}, ["Alpha-1"]),
        ({"q": "order #2"}, ["Alpha-1"]),
        ({"q": "Order Ä #1"}, []),
        ({"q": "c#d%"}, ["a/b?c#d%20"]),
        ({"q": "%"}, ["a/b?c#d%20"]),
        ({"name": "Order #2"}, ["Alpha-1"]),
        ({"name": "Order"}, []),
        ({"user_id": "u1"}, ["Alpha-1", "beta"]),
        ({"user_id": "u1", "service": "mail"}, ["Alpha-1"]),
        ({"environment": "stage"}, ["Alpha-1"]),
        ({"service": "shop"}, ["Alpha-1"]),
        ({"tag": "vip"}, ["Alpha-1"]),
        ({"tag": "vi"}, []),
        ({"model": "o3"}, ["Alpha-1"]),
        ({"metadata": {"plan": "free"}}, ["Alpha-1"]),
        ({"metadata": {"plan": "pro"}}, []),
        ({"metadata": {"n": "7"}}, ["Alpha-1", "a/b?c#d%20", "beta"]),
        ({"metadata": {"n": "7.0"}}, ["a/b?c#d%20"]),
        ({"metadata": {"n": 7}}, ["Alpha-1"]),
        ({"metadata": {"on": "true"}}, ["a/b?c#d%20", "beta"]),
        ({"metadata": {"on": True}}, ["beta"]),
        ({"metadata": {"n": 7.0, "on": "true"}}, ["a/b?c#d%20"]),
        ({"metadata": {"n": "nan"}}, []),
        ({"metadata": {"n": "9" * 5_000}}, []),
        ({"metadata": {"": ""}}, []),
        ({"failed": True}, ["Alpha-1"]),
        ({"failed": False}, ["a/b?c#d%20", "beta"]),
        ({"status": "failed"}, ["Alpha-1"]),
        ({"status": "ok"}, ["a/b?c#d%20", "beta"]),
        ({"status": "partly_failed"}, []),
        ({"status": "running"}, []),
        ({"status": "unknown"}, []),
        ({"unpriced": True}, []),
        ({"unpriced": False}, ["Alpha-1", "a/b?c#d%20", "beta"]),
        ({"since": AT + 101 * SECOND}, ["Alpha-1", "a/b?c#d%20"]),
        ({"since": AT + 101 * SECOND + 1}, ["a/b?c#d%20"]),
        ({"until": AT + 50 * SECOND}, ["Alpha-1"]),
        ({"until": AT + 50 * SECOND + 1}, ["Alpha-1", "beta"]),
        ({"until": AT}, []),
        ({"since": AT + 50 * SECOND, "until": AT + 51 * SECOND}, ["Alpha-1", "beta"]),
        ({"since": -(10**30), "until": 10**30}, ["Alpha-1", "a/b?c#d%20", "beta"]),
        ({"min_cost": Decimal("0.75")}, ["Alpha-1"]),
        ({"min_cost": Decimal("0.7500000000000000000000000000001")}, []),
        ({"min_cost": Decimal(0)}, ["Alpha-1"]),
    ],
)
def test_a_filter_leaves_these(filled: Store, conditions: dict[str, Any], ids: list[str]) -> None:
    """A filter returns whole sessions, with all their traces and not only those that meet a condition."""
    wanted = filters(**conditions)
    page = list_sessions(filled, wanted)
    assert sorted(one.id for one in page.sessions) == ids
    assert page.total == len(ids)
    whole: dict[str, SessionRollup] = {one.id: one for one in sessions_of(TRACES, wanted.key)}
    assert all(one == whole[one.id] for one in page.sessions)


@pytest.mark.parametrize("field", ["key", "q", "name", *FACETS])
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_filter_is_no_sql(filled: Store, field: str, text: str) -> None:
    """SQL in a value is compared as text: it changes no session, and finds only a session that contains it."""
    conditions: dict[str, Any] = {field: text}
    found = list_sessions(filled, filters(**conditions)).sessions
    assert [one.id for one in found] == (["a/b?c#d%20"] if (field, text) == ("q", "a/b?c#d%20") else [])
    assert list_sessions(filled, SessionFilters(metadata={text: text})).total == 0
    assert list_sessions(filled).total == 3

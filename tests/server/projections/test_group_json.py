"""The JSON of a trace group: what is written reads back, also what an older version wrote."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.time_spent import TimeSpent
from otel_sessions.server.projections.group_json import Content, from_json, to_json

NONE: frozenset[str] = frozenset()
PLAIN = Content(False, NONE, NONE, NONE, NONE, NONE, None, [], [])


def test_time_and_cache_round_trip() -> None:
    """Times, unknown numbers and the digits of amounts are the same afterwards."""
    first = CacheUse(2**63, 2**63 + 1, None, None, None, None, None, 7, None, Decimal("0.00000575"), None)
    second = CacheUse(1, 2, "Explore", "anthropic", "claude-opus-4-8", 9, 8, 1, 1, Decimal("0.10"), Decimal("9.5E-6"))
    content = PLAIN._replace(time=TimeSpent(1, 2, 3, 4, 2**62), cache=(first, second))
    found = from_json(to_json(content))
    assert found == content
    assert [str(use.penalty) for use in found.cache] == ["0.00000575", "0.10"]


def test_rows_of_older_versions() -> None:
    """A row without time and cache is read; its time is not known."""
    old = msgspec.json.encode(msgspec.json.decode(to_json(PLAIN))[:9])
    assert from_json(old) == PLAIN
    assert (from_json(old).time, from_json(old).cache) == (None, ())
